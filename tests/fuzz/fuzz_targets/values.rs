//! Header values: what is read is written, and reads the same again.

#![no_main]

use std::fmt::{Debug, Display};
use std::str::FromStr;

use libfuzzer_sys::fuzz_target;
use tandem_sip::value::{
    Authorization, CSeq, Challenge, MediaType, MinSe, NameAddr, RAck, Reason, ReferTo, Replaces,
    SessionExpires, Uri, ValueError, Via,
};

fn comes_back<T>(text: &str)
where
    T: FromStr<Err = ValueError> + Display + PartialEq + Debug,
{
    if let Ok(value) = T::from_str(text) {
        assert_eq!(T::from_str(&value.to_string()), Ok(value));
    }
}

fuzz_target!(|text: &str| {
    // A value is one line.
    if text.contains(['\r', '\n']) {
        return;
    }
    comes_back::<Uri>(text);
    comes_back::<NameAddr>(text);
    comes_back::<Via>(text);
    comes_back::<CSeq>(text);
    comes_back::<RAck>(text);
    comes_back::<Reason>(text);
    comes_back::<SessionExpires>(text);
    comes_back::<MinSe>(text);
    comes_back::<Replaces>(text);
    comes_back::<ReferTo>(text);
    comes_back::<MediaType>(text);
    comes_back::<Challenge>(text);
    comes_back::<Authorization>(text);
    if let (Ok(one), Ok(other)) = (Uri::parse(text), Uri::parse(&text.to_ascii_lowercase())) {
        assert!(one.is_equivalent(&one));
        assert_eq!(one.is_equivalent(&other), other.is_equivalent(&one));
    }
});

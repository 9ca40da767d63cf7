//! Whose turn it is when more threads want to run than there are cores.

use std::io;

use rustix::process::{getpriority_process, setpriority_process};
use rustix::thread::gettid;

/// Nine times the share of a thread that asked for nothing, and sooner: on a busy machine a frame
/// that is late is heard, an answer to a program is not.
const NICE: i32 = -10;

/// Lets the calling thread run before others, as media workers do for themselves.
///
/// # Errors
/// When the system does not permit it: that takes `LimitNICE=-10` in the unit, or `CAP_SYS_NICE`.
/// The thread goes on as it was.
pub fn go_first() -> io::Result<()> {
    let thread = Some(gettid());
    // Whoever starts a node with more than this meant it.
    if getpriority_process(thread)? > NICE {
        setpriority_process(thread, NICE)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_thread_goes_first_and_no_other_where_that_is_permitted() {
        let before = getpriority_process(Some(gettid())).unwrap();

        let (done, now) = std::thread::spawn(|| {
            let done = go_first();
            (done, getpriority_process(Some(gettid())).unwrap())
        })
        .join()
        .unwrap();

        match done {
            Ok(()) => assert_eq!(now, before.min(NICE)),
            Err(error) => {
                assert_eq!(error.kind(), io::ErrorKind::PermissionDenied);
                assert_eq!(now, before);
            }
        }
        assert_eq!(getpriority_process(Some(gettid())).unwrap(), before);
    }
}

//! As much XML as the door needs: elements and text. No document type, no entities but the five,
//! bounded depth (D-018).

/// Elements within elements.
const DEEPEST: usize = 8;

/// An element: its name, its text, its children.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Element {
    pub(super) name: String,
    pub(super) text: String,
    pub(super) children: Vec<Self>,
}

/// Reads a document; none when it is not well-formed, or more than is taken here.
pub(super) fn parse(text: &str) -> Option<Element> {
    let mut reader = Reader { rest: text.trim_start_matches('\u{feff}') };
    reader.prologue()?;
    let root = reader.element(1)?;
    reader.blank_or_comments()?;
    reader.rest.is_empty().then_some(root)
}

struct Reader<'a> {
    rest: &'a str,
}

impl<'a> Reader<'a> {
    fn after(&mut self, end: &str) -> Option<&'a str> {
        let (before, after) = self.rest.split_once(end)?;
        self.rest = after;
        Some(before)
    }

    fn takes(&mut self, start: &str) -> bool {
        match self.rest.strip_prefix(start) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn prologue(&mut self) -> Option<()> {
        self.rest = self.rest.trim_start();
        if self.takes("<?xml") {
            let declared = self.after("?>")?.to_ascii_lowercase();
            // UTF-8 only.
            if declared.contains("encoding") && !declared.contains("utf-8") {
                return None;
            }
        }
        self.blank_or_comments()
    }

    fn blank_or_comments(&mut self) -> Option<()> {
        loop {
            self.rest = self.rest.trim_start();
            if !self.takes("<!--") {
                return Some(());
            }
            self.after("-->")?;
        }
    }

    /// An element, from its `<`.
    fn element(&mut self, depth: usize) -> Option<Element> {
        if depth > DEEPEST || !self.takes("<") {
            return None;
        }
        let tag = self.after(">")?;
        let (tag, is_empty) = match tag.strip_suffix('/') {
            Some(tag) => (tag, true),
            None => (tag, false),
        };
        let name = tag.split_whitespace().next()?;
        // `<!DOCTYPE`, `<![CDATA[` and processing instructions are not taken.
        let plain = |c: char| c.is_alphanumeric() || "_-.:".contains(c);
        if !name.chars().all(plain) || tag.starts_with(char::is_whitespace) || tag.contains('<') {
            return None;
        }
        let mut element = Element { name: name.to_owned(), ..Element::default() };
        if is_empty {
            return Some(element);
        }
        loop {
            let at = self.rest.find('<')?;
            element.text.push_str(&unescaped(&self.rest[..at])?);
            self.rest = &self.rest[at..];
            if self.takes("<!--") {
                self.after("-->")?;
            } else if self.takes("</") {
                let closed = self.after(">")?;
                return (closed.trim_end() == name).then_some(element);
            } else {
                element.children.push(self.element(depth + 1)?);
            }
        }
    }
}

fn unescaped(text: &str) -> Option<String> {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        plain.push_str(before);
        let (entity, after) = after.split_once(';')?;
        plain.push(match entity {
            "lt" => '<',
            "gt" => '>',
            "amp" => '&',
            "apos" => '\'',
            "quot" => '"',
            _ => return None,
        });
        rest = after;
    }
    plain.push_str(rest);
    Some(plain)
}

/// Text as it stands in a document.
pub(super) fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '&' => escaped.push_str("&amp;"),
            // XML 1.0 can not say other control characters at all.
            c if c.is_control() && !"\t\n\r".contains(c) => {}
            c => escaped.push(c),
        }
    }
    escaped
}

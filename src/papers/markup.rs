//! The one way text gets into a page. What is markup is known when the program is built (`&'static
//! str`); what is not can only be written by [`Markup::text`], which escapes it.

/// A page in the making.
#[derive(Debug, Default)]
pub(super) struct Markup(String);

impl Markup {
    /// Writes markup of ours.
    pub(super) fn raw(&mut self, markup: &'static str) -> &mut Self {
        self.0.push_str(markup);
        self
    }

    /// Writes a number.
    pub(super) fn number(&mut self, number: usize) -> &mut Self {
        self.0.push_str(&number.to_string());
        self
    }

    /// Writes text, whatever it holds: lines stay lines, and what nobody sees is left out.
    pub(super) fn text(&mut self, text: &str) -> &mut Self {
        let mut signs = text.chars().peekable();
        while let Some(sign) = signs.next() {
            match sign {
                '&' => self.0.push_str("&amp;"),
                '<' => self.0.push_str("&lt;"),
                '>' => self.0.push_str("&gt;"),
                '"' => self.0.push_str("&quot;"),
                '\'' => self.0.push_str("&#39;"),
                '\r' if signs.peek() == Some(&'\n') => {}
                '\r' | '\n' => self.0.push_str("<br>"),
                '\t' => self.0.push(' '),
                sign if sign.is_control() => {}
                sign => self.0.push(sign),
            }
        }
        self
    }

    /// Text within markup of ours.
    pub(super) fn within(&mut self, open: &'static str, text: &str, close: &'static str) -> &mut Self {
        self.raw(open).text(text).raw(close)
    }

    /// The page.
    pub(super) fn finish(self) -> String {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_never_markup() {
        let mut page = Markup::default();
        page.within("<p>", "<script>alert('1')</script> & \"二\"\r\n三\n四\u{0}\u{1b}\u{85}", "</p>");
        let wanted =
            "<p>&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt; &amp; &quot;二&quot;<br>三<br>四</p>";
        assert_eq!(page.finish(), wanted);
    }
}

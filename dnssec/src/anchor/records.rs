//! Splits a zone file into entries: removes comments, and joins lines within parentheses (RFC 1035
//! §5.1).

use super::AnchorError;

/// One record or directive.
pub(super) struct Entry<'t> {
    /// The line that it starts on, counted from 1.
    pub(super) line: usize,
    /// True if it begins with a blank, and so has no owner of its own.
    pub(super) is_indented: bool,
    pub(super) fields: Vec<&'t str>,
    /// The comments on all of its lines.
    pub(super) comments: String,
}

/// Splits a text into its entries.
pub(super) fn entries(text: &str) -> Result<Vec<Entry<'_>>, AnchorError> {
    let mut entries: Vec<Entry<'_>> = Vec::new();
    // The entry with a parenthesis that is still open.
    let mut unfinished: Option<Entry<'_>> = None;
    for (index, line) in text.lines().enumerate() {
        let line_number = index + 1;
        let (content, comment) = line.split_once(';').unwrap_or((line, ""));
        let mut open = unfinished.is_some();
        let mut entry = unfinished.take().unwrap_or_else(|| Entry {
            line: line_number,
            is_indented: line.starts_with([' ', '\t']),
            fields: Vec::new(),
            comments: String::new(),
        });
        entry.comments.push_str(comment);
        entry.comments.push(';');
        for piece in content.split_inclusive(['(', ')']) {
            let (fields, parenthesis) = match piece.strip_suffix(['(', ')']) {
                Some(fields) => (fields, piece.chars().next_back()),
                None => (piece, None),
            };
            entry.fields.extend(fields.split_ascii_whitespace());
            match parenthesis {
                Some('(') if !open => open = true,
                Some(')') if open => open = false,
                None => {}
                Some(_) => {
                    return Err(AnchorError::Line {
                        line: line_number,
                        problem: "its parentheses are not balanced".into(),
                    });
                }
            }
        }
        if open {
            unfinished = Some(entry);
        } else if !entry.fields.is_empty() {
            entries.push(entry);
        }
    }
    if let Some(Entry { line, .. }) = unfinished {
        return Err(AnchorError::Line {
            line,
            problem: "a parenthesis is not closed".into(),
        });
    }
    Ok(entries)
}

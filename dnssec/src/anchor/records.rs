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
    let mut open = false;
    for (index, line) in text.lines().enumerate() {
        let line_number = index + 1;
        let (content, comment) = line.split_once(';').unwrap_or((line, ""));
        if !open {
            entries.push(Entry {
                line: line_number,
                is_indented: line.starts_with([' ', '\t']),
                fields: Vec::new(),
                comments: String::new(),
            });
        }
        let Some(entry) = entries.last_mut() else {
            continue;
        };
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
    }
    if open {
        return Err(AnchorError::Line {
            line: entries.last().map_or(0, |entry| entry.line),
            problem: "a parenthesis is not closed".into(),
        });
    }
    entries.retain(|entry| !entry.fields.is_empty());
    Ok(entries)
}

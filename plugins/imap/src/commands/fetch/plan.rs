//! What a FETCH needs of the store, and how much a page may hold.

use waxwing_formats_mapi::columns;

use crate::parse::{FetchItem, SectionPart};

/// Bits of `store/views.columns`.
const STRUCTURE: u32 = 1;
const HEADER: u32 = 2;
const PROPERTIES: u32 = 4;

/// Rows of a page that needs only what the folder index holds.
const ROWS: u32 = 2_500;
/// Rows of a page with structures or headers; the host bounds their octets.
const ROWS_WITH_COLUMNS: u32 = 200;
/// Rows of a page with bodies.
const ROWS_WITH_BODIES: u32 = 64;
/// Handles on bodies in a turn; the host allows 1,024, and 4,096 actions.
const HANDLES: u32 = 800;

/// What the items of a FETCH need.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Plan {
    pub(super) needs_structure: bool,
    /// Whether more of the structure is looked at than its envelope.
    pub(super) needs_parts: bool,
    pub(super) needs_header: bool,
    pub(super) needs_bodies: bool,
    needs_digest: bool,
    needs_preview: bool,
    /// Whether parts are decoded in the plugin's memory.
    decodes: bool,
    /// Items that are sent from a body.
    body_items: u32,
}

impl Plan {
    pub(super) fn new(items: &[FetchItem]) -> Self {
        let mut plan = Plan::default();
        for item in items {
            match item {
                FetchItem::Envelope => plan.needs_structure = true,
                FetchItem::BodyStructure { .. } => {
                    plan.needs_structure = true;
                    plan.needs_parts = true;
                }
                FetchItem::Rfc822Header => plan.needs_header = true,
                FetchItem::Binary { .. } | FetchItem::BinarySize(_) => {
                    plan.add_body_item(true);
                    plan.decodes = true;
                }
                FetchItem::Rfc822 => plan.add_body_item(false),
                FetchItem::Rfc822Text => plan.add_body_item(true),
                FetchItem::Body { section, .. } => match section.part {
                    SectionPart::Header | SectionPart::Fields { .. } if section.path.is_empty() => {
                        plan.needs_header = true
                    }
                    SectionPart::Whole if section.path.is_empty() => plan.add_body_item(false),
                    _ => plan.add_body_item(true),
                },
                FetchItem::EmailId => plan.needs_digest = true,
                FetchItem::Preview => plan.needs_preview = true,
                FetchItem::Flags
                | FetchItem::SaveDate
                | FetchItem::ThreadId
                | FetchItem::InternalDate
                | FetchItem::Size
                | FetchItem::Uid
                | FetchItem::ModSeq => {}
            }
        }
        plan
    }

    fn add_body_item(&mut self, needs_structure: bool) {
        self.needs_structure |= needs_structure;
        self.needs_parts |= needs_structure;
        self.needs_bodies = true;
        self.body_items += 1;
    }

    pub(super) fn columns(&self) -> u32 {
        (if self.needs_structure { STRUCTURE } else { 0 })
            | (if self.needs_header { HEADER } else { 0 })
            | (if self.tags().is_empty() {
                0
            } else {
                PROPERTIES
            })
    }

    pub(super) fn tags(&self) -> Vec<u32> {
        let digest = self.needs_digest.then_some(columns::DIGEST.0);
        let preview = self.needs_preview.then_some(columns::PREVIEW.0);
        digest.into_iter().chain(preview).collect()
    }

    pub(super) fn rows(&self) -> u32 {
        match (self.needs_bodies, self.columns()) {
            _ if self.decodes => 1,
            (true, _) => (HANDLES / (self.body_items + 1)).clamp(1, ROWS_WITH_BODIES),
            (false, 0) => ROWS,
            (false, _) => ROWS_WITH_COLUMNS,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::Section;

    fn body(path: &[u32], part: SectionPart) -> FetchItem {
        FetchItem::Body {
            peek: true,
            section: Section {
                path: path.to_vec(),
                part,
            },
            partial: None,
        }
    }

    #[test]
    fn flags_need_nothing_and_headers_no_body() {
        assert_eq!(Plan::new(&[FetchItem::Flags, FetchItem::Uid]).columns(), 0);
        let plan = Plan::new(&[body(&[], SectionPart::Header)]);
        assert_eq!((plan.columns(), plan.needs_bodies), (HEADER, false));
        assert!(Plan::new(&[body(&[1], SectionPart::Header)]).needs_bodies);
        assert!(!Plan::new(&[body(&[], SectionPart::Whole)]).needs_structure);
    }

    #[test]
    fn many_items_from_bodies_make_small_pages() {
        assert_eq!(
            Plan::new(&[body(&[], SectionPart::Whole)]).rows(),
            ROWS_WITH_BODIES
        );
        let many: Vec<FetchItem> = (1..=200)
            .map(|part| body(&[part], SectionPart::Whole))
            .collect();
        assert!(Plan::new(&many).rows() * 201 <= 1_024);
    }
}

//! Pages: scrolling.

use super::Step;
use crate::command::Nav;
use crate::model::overlay::Overlay;

impl Step<'_> {
    /// Scrolls the page.
    pub(super) fn page_nav(&mut self, nav: Nav) {
        let Some(page) = self.model.layers.get::<Overlay>() else {
            return;
        };
        let (columns, height) = self.model.overlay_size();
        let last = page.rows(self.model, columns).len().saturating_sub(height);
        let screen = height.saturating_sub(1).max(1);
        let to = nav.moved(page.scroll.min(last), last, screen);
        if let (Some(page), Some(to)) = (self.model.layers.get_mut::<Overlay>(), to) {
            page.scroll = to;
        }
    }
}

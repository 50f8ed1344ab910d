//! Pages: scrolling.

use crate::command::Nav;
use crate::model::layer::page::Page;
use crate::model::step::Step;

impl Step<'_> {
    /// Scrolls the page.
    pub(crate) fn page_nav(&mut self, nav: Nav) {
        let Some(page) = self.model.layers.get::<Page>() else {
            return;
        };
        let (columns, height) = self.model.overlay_size();
        let last = page.rows(self.model, columns).len().saturating_sub(height);
        let screen = height.saturating_sub(1).max(1);
        let to = nav.moved(page.scroll.min(last), last, screen);
        if let (Some(page), Some(to)) = (self.model.layers.get_mut::<Page>(), to) {
            page.scroll = to;
        }
    }
}

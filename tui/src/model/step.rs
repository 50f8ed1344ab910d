//! One step of `update`: the model being changed, and the effects that follow.

use plenary_shared::ids::Cmid;

use super::Model;
use crate::effect::Effect;

/// One event being applied to the model.
pub(crate) struct Step<'a> {
    pub(crate) model: &'a mut Model,
    /// The effects so far, in order.
    pub(crate) out: Vec<Effect>,
    /// Messages worth a notification: title and text.
    pub(crate) notifications: Vec<(String, String)>,
    /// An unused message id, for a message that the event creates.
    pub(crate) spare: Cmid,
}

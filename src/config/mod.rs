//! What a person can set: themes, and later profiles and keys. Pure data and
//! its reading from text; where the text lies is for the faces to find.

pub mod theme;

pub use theme::Theme;

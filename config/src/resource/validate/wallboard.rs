//! What is wrong with a wallboard.

use super::Wrong;
use crate::resource::{COLUMNS, ROWS, Tile, Wallboard};

/// Most tiles of one layout.
const MOST_TILES: usize = 60;

impl Wallboard {
    pub(super) fn check(&self, wrong: &mut Wrong) {
        wrong.key(&self.name, "/name");
        let turns = (5..=3_600).contains(&self.rotation_secs);
        wrong.unless(turns, "/rotation_secs", "out-of-range", "5 to 3600 seconds (Q-449)");
        layout(&self.all, "/all", wrong);
        layout(&self.single, "/single", wrong);
    }
}

pub(super) fn layout(tiles: &[Tile], pointer: &str, wrong: &mut Wrong) {
    wrong.unless(tiles.len() <= MOST_TILES, pointer, "too-many", "at most 60 tiles");
    for (index, tile) in tiles.iter().enumerate() {
        let pointer = format!("{pointer}/{index}");
        let fits = |at: u8, size: u8, most: u8| {
            size >= 1 && u32::from(at) + u32::from(size) <= u32::from(most)
        };
        let is_in = fits(tile.column, tile.width, COLUMNS) && fits(tile.row, tile.height, ROWS);
        wrong.unless(is_in, &pointer, "out-of-range", "a place within 12 columns and 24 rows");
        wrong.text(&tile.description, 0, 120, &format!("{pointer}/description"));
        let free = !tiles[..index].iter().any(|other| other.covers(tile));
        wrong.unless(free, &pointer, "covered", "lies over another tile");
    }
}

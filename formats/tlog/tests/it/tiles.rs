//! Tile names, entry bundles, and a log grown, dropped and taken up again.

use std::collections::BTreeMap;

use proptest::prelude::*;
use tlog::{
    BadBundle, Builder, Frontier, ResumeError, Tile, TileKind, TileNodes, TileNodesError, Tiles, consistency,
    inclusion, leaf_hash, push_entry, read_entries, root,
};

use crate::{Reference, entry};

#[derive(Default, Clone)]
struct Files(BTreeMap<String, Vec<u8>>);

impl Tiles for Files {
    type Error = String;

    fn tile(&self, tile: Tile) -> Result<Vec<u8>, String> {
        self.0.get(&tile.to_string()).cloned().ok_or_else(|| format!("no {tile}"))
    }
}

impl Files {
    fn take(&mut self, builder: &mut Builder) {
        for file in builder.take_files() {
            let before = self.0.insert(file.tile.to_string(), file.bytes.clone());
            assert!(before.is_none_or(|before| before == file.bytes), "{} changed", file.tile);
        }
    }
}

#[test]
fn paths() {
    let hashes = |level, index, width| Tile { kind: TileKind::Hashes(level), index, width };
    let entries = |index, width| Tile { kind: TileKind::Entries, index, width };
    for (tile, path) in [
        (hashes(0, 0, 256), "tile/0/000"),
        (hashes(0, 1_234_067, 256), "tile/0/x001/x234/067"),
        (hashes(3, 1_234_067, 5), "tile/3/x001/x234/067.p/5"),
        (hashes(7, 999, 255), "tile/7/999.p/255"),
        (entries(1000, 256), "tile/entries/x001/000"),
        (entries(0, 1), "tile/entries/000.p/1"),
    ] {
        assert_eq!(tile.to_string(), path);
        assert_eq!(Tile::parse(path), Some(tile));
    }
    for path in [
        "",
        "tile/0",
        "tile/0/",
        "tile/00/000",
        "tile/+1/000",
        "tile/8/000",
        "tile/0/0",
        "tile/0/0000",
        "tile/0/x000/001",
        "tile/0/001/002",
        "tile/0/x001",
        "tile/0/000.p/0",
        "tile/0/000.p/256",
        "tile/0/000.p/05",
        "tile/0/000.p",
        "tile/0/x001.p/000.p/5",
        "/tile/0/000",
        "tile/0/000/",
        "tile/0/../000",
        "tile/entries/x999/x999/x999/x999/x999/x999/x999/999",
        "tile/entries/+00",
    ] {
        assert_eq!(Tile::parse(path), None, "{path}");
    }
}

#[test]
fn tiles_of_a_tree() {
    let widths = |kind, size| {
        (0..4).map_while(|index| Tile::in_tree(kind, index, size)).map(|tile| tile.width).collect::<Vec<_>>()
    };
    assert_eq!(widths(TileKind::Hashes(0), 600), [256, 256, 88]);
    assert_eq!(widths(TileKind::Hashes(1), 600), [2]);
    assert_eq!(widths(TileKind::Hashes(2), 600), []);
    assert_eq!(widths(TileKind::Entries, 512), [256, 256]);
    assert_eq!(Tile::in_tree(TileKind::Hashes(8), 0, u64::MAX), None);
    assert_eq!(Tile::in_tree(TileKind::Entries, u64::MAX, u64::MAX), None);
}

#[test]
fn bundles_are_read_to_the_last_byte() {
    let mut bundle = Vec::new();
    for entry in [&b"a"[..], b"", &[7; 300]] {
        push_entry(&mut bundle, entry).unwrap();
    }
    assert_eq!(bundle[..5], [0, 1, b'a', 0, 0]);
    assert_eq!(read_entries(&bundle, 3).unwrap(), [&b"a"[..], b"", &[7; 300]]);
    assert_eq!(read_entries(&bundle, 2), Err(BadBundle));
    assert_eq!(read_entries(&bundle, 4), Err(BadBundle));
    assert_eq!(read_entries(&bundle[..bundle.len() - 1], 3), Err(BadBundle));
    assert!(push_entry(&mut bundle, &[0; 65_536]).is_err());
    assert!(push_entry(&mut Vec::new(), &[0; 65_535]).is_ok());
}

#[test]
fn a_refused_entry_leaves_the_log_as_it_was() {
    let mut builder = Builder::new();
    builder.append(b"a").unwrap();
    let before = (builder.root(), builder.clone().take_files());
    assert!(builder.append(&[0; 65_536]).is_err());
    assert_eq!((builder.root(), builder.take_files()), before);
}

#[test]
fn a_log_of_three_tile_levels() {
    let size = 66_000;
    let (mut builder, mut files, mut frontier) = (Builder::new(), Files::default(), Frontier::new());
    for i in 0..size {
        builder.append(&entry(i)).unwrap();
        frontier.append(leaf_hash(&entry(i)));
    }
    files.take(&mut builder);
    assert!(files.0.contains_key("tile/2/000.p/1"));
    let nodes = TileNodes::new(&files, size);
    assert_eq!(root(&nodes, size), Ok(frontier.root()));
    let tree = Reference::of(size);
    for index in [0, 255, 256, 65_535, 65_536, size - 1] {
        assert_eq!(inclusion(&nodes, index, size).unwrap(), inclusion(&tree, index, size).unwrap());
    }
    assert_eq!(Builder::resume(size, &files).unwrap().root(), frontier.root());
}

#[test]
fn a_damaged_log_is_not_taken_up() {
    let (mut builder, mut files) = (Builder::new(), Files::default());
    (0..300).for_each(|i| assert_eq!(builder.append(&entry(i)), Ok(i)));
    files.take(&mut builder);
    for path in files.0.keys().filter(|path| path.contains(".p/")) {
        let mut missing = files.clone();
        missing.0.remove(path);
        assert!(
            matches!(Builder::resume(300, &missing), Err(ResumeError::Tiles(TileNodesError::Tiles(_)))),
            "{path}"
        );
        let mut short = files.clone();
        short.0.get_mut(path).unwrap().pop();
        assert!(Builder::resume(300, &short).is_err(), "{path}");
        let mut flipped = files.clone();
        flipped.0.get_mut(path).unwrap()[5] ^= 1;
        let root = Builder::resume(300, &flipped).map(|b| b.root());
        assert!(root != Ok(builder.root()), "{path}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// However the entries are cut into batches, and wherever the process stops, the files come out the same.
    #[test]
    fn batches_and_restarts_do_not_show(batches in proptest::collection::vec((0u64..300, any::<bool>()), 1..8)) {
        let (mut builder, mut files) = (Builder::new(), Files::default());
        let mut sizes = vec![];
        for (count, restart) in batches {
            for _ in 0..count {
                builder.append(&entry(builder.size())).unwrap();
            }
            files.take(&mut builder);
            prop_assert!(builder.take_files().is_empty());
            sizes.push(builder.size());
            if restart {
                let again = Builder::resume(builder.size(), &files).unwrap();
                prop_assert_eq!(again.root(), builder.root());
                builder = again;
            }
        }
        let size = builder.size();
        let tree = Reference::of(size);
        let nodes = TileNodes::new(&files, size);
        prop_assert_eq!(builder.root(), tree.root(size as usize));
        for old in sizes {
            prop_assert_eq!(root(&TileNodes::new(&files, old), old).unwrap(), tree.root(old as usize));
            prop_assert_eq!(consistency(&nodes, old, size).unwrap(), consistency(&tree, old, size).unwrap());
            if old > 0 {
                prop_assert_eq!(inclusion(&nodes, old - 1, size).unwrap(), inclusion(&tree, old - 1, size).unwrap());
            }
        }
    }
}

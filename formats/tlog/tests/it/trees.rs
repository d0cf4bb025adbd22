//! Roots and proofs.

use proptest::prelude::*;
use tlog::{
    Frontier, Hash, ProofError, consistency, inclusion, leaf_hash, root, verify_consistency, verify_inclusion,
};

use crate::{Reference, entry};

/// The eight entries of the reference tests of Certificate Transparency; the roots below were computed for
/// this test in another language, straight from the definition in RFC 6962 §2.1.
const ENTRIES: [&str; 8] =
    ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"];
const ROOTS: [&str; 9] = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
];

#[test]
fn known_roots() {
    let mut frontier = Frontier::new();
    assert_eq!(frontier.root().to_string(), ROOTS[0]);
    for (text, expected) in ENTRIES.iter().zip(&ROOTS[1..]) {
        frontier.append(leaf_hash(&hex::decode(text).unwrap()));
        assert_eq!(frontier.root().to_string(), *expected);
    }
}

#[test]
fn known_roots_of_larger_trees() {
    for (size, expected) in [
        (600, "e8a804af596789ed4f53942e294cfe44d5bed4c7140c7f0f5fa52c0c122232d6"),
        (70_000, "a3920fba7f239a071a9bd10721f1341addefbaededb41c7e24437a9d16bdf00a"),
    ] {
        let mut frontier = Frontier::new();
        (0..size).for_each(|i| frontier.append(leaf_hash(&entry(i))));
        assert_eq!(frontier.root().to_string(), expected);
    }
}

#[test]
fn every_inclusion_up_to_two_hundred() {
    let tree = Reference::of(200);
    for size in 1..=200u64 {
        let top = tree.root(size as usize);
        assert_eq!(root(&tree, size), Ok(top));
        for index in 0..size {
            let leaf = &tree.0[index as usize];
            let proof = inclusion(&tree, index, size).unwrap();
            assert_eq!(verify_inclusion(leaf, index, size, &proof, &top), Ok(()));
            let elsewhere = (index + 1) % size;
            if elsewhere != index {
                assert!(verify_inclusion(leaf, elsewhere, size, &proof, &top).is_err());
            }
        }
    }
}

#[test]
fn every_consistency_up_to_two_hundred() {
    let tree = Reference::of(200);
    let roots: Vec<Hash> = (0..=200).map(|size| tree.root(size)).collect();
    for new in 0..=200u64 {
        for old in 0..=new {
            let (old_root, new_root) = (&roots[old as usize], &roots[new as usize]);
            let proof = consistency(&tree, old, new).unwrap();
            assert_eq!(verify_consistency(old, new, old_root, new_root, &proof), Ok(()));
            if old != new {
                assert!(verify_consistency(old, new, new_root, new_root, &proof).is_err());
                assert!(verify_consistency(old + 1, new, old_root, new_root, &proof).is_err());
                assert!(verify_consistency(new, old, new_root, old_root, &proof).is_err());
            }
            if old > 0 && old != new {
                assert!(verify_consistency(old, new, old_root, old_root, &proof).is_err());
            }
        }
    }
}

#[test]
fn what_lies_outside_the_tree_has_no_proof() {
    let tree = Reference::of(5);
    assert_eq!(inclusion(&tree, 5, 5), Err(ProofError::Outside { asked: 5, size: 5 }));
    assert_eq!(inclusion(&tree, 0, 0), Err(ProofError::Outside { asked: 0, size: 0 }));
    assert_eq!(consistency(&tree, 6, 5), Err(ProofError::Outside { asked: 6, size: 5 }));
    assert!(matches!(inclusion(&tree, 0, 6), Err(ProofError::Read(_))));
    let top = tree.root(5);
    assert!(verify_inclusion(&tree.0[0], 5, 5, &[], &top).is_err());
    assert!(verify_inclusion(&tree.0[0], 0, 0, &[], &Hash::EMPTY_ROOT).is_err());
    assert!(verify_inclusion(&tree.0[0], 0, u64::MAX, &[top; 63], &top).is_err());
    assert!(verify_consistency(1, u64::MAX, &top, &top, &[top; 64]).is_err());
    assert!(verify_consistency(3, 5, &top, &top, &[]).is_err());
}

#[test]
fn a_frontier_is_taken_up_again_only_with_the_right_number_of_peaks() {
    let mut frontier = Frontier::new();
    (0..11).for_each(|i| frontier.append(leaf_hash(&entry(i))));
    assert_eq!(Frontier::from_peaks(11, frontier.peaks().to_vec()), Some(frontier.clone()));
    assert_eq!(Frontier::from_peaks(12, frontier.peaks().to_vec()), None);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn larger_trees_and_damaged_proofs(
        new in 201u64..5000, a in 0u64..5000, b in 1u64..5000, position in 0usize..64, bit in 0usize..256,
    ) {
        let (index, old) = (a % new, 1 + b % new);
        let tree = Reference::of(new);
        let (old_root, new_root) = (tree.root(old as usize), tree.root(new as usize));
        let leaf = &tree.0[index as usize];

        let proof = inclusion(&tree, index, new).unwrap();
        prop_assert_eq!(verify_inclusion(leaf, index, new, &proof, &new_root), Ok(()));
        for damaged in damage(&proof, position, bit) {
            prop_assert!(verify_inclusion(leaf, index, new, &damaged, &new_root).is_err());
        }
        let proof = consistency(&tree, old, new).unwrap();
        prop_assert_eq!(verify_consistency(old, new, &old_root, &new_root, &proof), Ok(()));
        for damaged in damage(&proof, position, bit) {
            prop_assert!(verify_consistency(old, new, &old_root, &new_root, &damaged).is_err());
        }
    }
}

/// A flipped bit, a missing hash, a hash too many, two hashes exchanged.
fn damage(proof: &[Hash], position: usize, bit: usize) -> Vec<Vec<Hash>> {
    let mut all = vec![[proof, &[Hash::EMPTY_ROOT]].concat()];
    if proof.is_empty() {
        return all;
    }
    let position = position % proof.len();
    let mut flipped = proof.to_vec();
    flipped[position].0[bit / 8] ^= 1 << (bit % 8);
    let mut shorter = proof.to_vec();
    shorter.remove(position);
    all.extend([flipped, shorter]);
    if position > 0 {
        let mut swapped = proof.to_vec();
        swapped.swap(position, position - 1);
        all.push(swapped);
    }
    all
}

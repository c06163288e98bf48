//! The picture in the README: a recording of some of its recipes, which `transcripts.rs` runs.
//! `MOCERIL_WRITE=1` draws it anew.

use std::{env, fmt::Write, fs, path::Path};

/// The recipes that are shown.
const SHOWN: [&str; 4] =
    ["moceril inspect ", "moceril keys merge ", "moceril explain ", "moceril recovery-key check "];
/// In pixels.
const LETTER: f64 = 8.4;
const LINE: usize = 20;
const MARGIN: usize = 16;
/// In seconds: how long a command is typed, and how long its output is read.
const TYPED: f64 = 1.5;
const READ: f64 = 2.5;

/// The recipes with what they print, each as lines.
fn recipes(readme: &str) -> Vec<Vec<&str>> {
    let blocks = readme.split("```console\n").skip(1);
    let blocks = blocks.filter_map(|block| Some(block.split_once("\n```")?.0.lines().collect()));
    let blocks: Vec<Vec<&str>> = blocks.collect();
    let find = |name: &&str| {
        let is_it = |block: &&Vec<&str>| block[0].strip_prefix("$ ").unwrap().starts_with(name);
        blocks.iter().find(is_it).unwrap_or_else(|| panic!("no recipe {name}")).clone()
    };
    SHOWN.iter().map(find).collect()
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// Lines appear when their time has come. Whoever shows the picture without motion shows all.
fn drawn(recipes: &[Vec<&str>]) -> String {
    let lines = recipes.iter().map(|recipe| recipe.len() + 1).sum::<usize>() - 1;
    let longest = recipes.iter().flatten().map(|line| line.chars().count()).max().unwrap();
    let width = 2 * MARGIN + (longest as f64 * LETTER) as usize;
    let height = 2 * MARGIN + lines * LINE;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" \
         width=\"{width}\" height=\"{height}\" font-family=\"monospace\" font-size=\"14\">\n\
         <title>moceril in a terminal</title>\n\
         <rect width=\"100%\" height=\"100%\" rx=\"8\" fill=\"#1d2021\"/>\n"
    );
    let (mut number, mut time) = (0, 0.0);
    for recipe in recipes {
        for (place, line) in recipe.iter().enumerate() {
            let y = MARGIN + number * LINE + LINE * 3 / 4;
            let colour = if place == 0 {
                "#8ec07c"
            } else if line.starts_with("error:") || line.starts_with("[exit") {
                "#fb4934"
            } else {
                "#ebdbb2"
            };
            let hidden = if time == 0.0 {
                String::new()
            } else {
                let name = "attributeName=\"visibility\" to=\"hidden\"";
                format!("<set {name} begin=\"0s\" dur=\"{time}s\"/>")
            };
            writeln!(
                svg,
                "<text x=\"{MARGIN}\" y=\"{y}\" fill=\"{colour}\" xml:space=\"preserve\">\
                 {}{hidden}</text>",
                escaped(line)
            )
            .unwrap();
            number += 1;
            time += if place == 0 { TYPED } else { 0.0 };
        }
        number += 1;
        time += READ;
    }
    svg + "</svg>\n"
}

#[test]
fn the_picture_shows_the_recipes() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let readme = fs::read_to_string(folder.join("README.md")).unwrap();
    let (path, today) = (folder.join("recording.svg"), drawn(&recipes(&readme)));
    if env::var_os("MOCERIL_WRITE").is_some() {
        fs::write(&path, &today).unwrap();
    }
    assert!(readme.contains("(recording.svg)"), "the README shows it");
    assert!(fs::read_to_string(path).unwrap() == today, "it is the picture of other recipes");
}

//! A bar chart as SVG: each row has one bar for each peer, whose length is the logarithm of a
//! ratio. It is readable on a light and on a dark page.

use std::fmt::Write;

use super::markdown::ratio;

/// From the least to the greatest ratio.
const PLOT: f64 = 520.0;
const RIGHT: f64 = 60.0;
/// Of a letter in a label, a little more than the mean.
const LETTER: f64 = 6.2;
const TOP: f64 = 86.0;
const BAR: f64 = 11.0;
const GAP: f64 = 12.0;
const TICKS: [f64; 12] = [0.5, 1.0, 2.0, 3.0, 5.0, 10.0, 20.0, 30.0, 50.0, 100.0, 200.0, 500.0];

pub struct Chart<'a> {
    pub title: &'a str,
    pub subtitle: &'a str,
    pub bars: Vec<Bars>,
}

/// A row: how many times as much as ours the peers take.
pub struct Bars {
    pub label: String,
    pub vodozemac: Option<f64>,
    pub libolm: Option<f64>,
}

/// Shorter than this is shown as short as this; the number beside it tells.
const LEAST: f64 = 0.5;

/// From a ratio to a place on the page.
struct Scale {
    left: f64,
    least: f64,
    greatest: f64,
}

impl Scale {
    fn of(bars: &[Bars]) -> Self {
        let values = || bars.iter().flat_map(|bars| [bars.vodozemac, bars.libolm]).flatten();
        let letters = bars.iter().map(|bars| bars.label.chars().count()).max().unwrap_or(0);
        Self {
            left: letters as f64 * LETTER + 30.0,
            least: values().fold(0.9, f64::min).max(LEAST),
            greatest: values().fold(2.0, f64::max),
        }
    }

    fn place(&self, ratio: f64) -> f64 {
        let part = (ratio.max(self.least) / self.least).ln() / (self.greatest / self.least).ln();
        self.left + part * PLOT
    }

    fn width(&self) -> f64 {
        self.left + PLOT + RIGHT
    }
}

impl Chart<'_> {
    pub fn to_svg(&self) -> String {
        let scale = Scale::of(&self.bars);
        let width = scale.width();
        let height = TOP + self.bars.len() as f64 * (2.0 * BAR + GAP) + 30.0;
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" \
             height=\"{height}\" role=\"img\">\n<title>{}</title>\n{STYLE}\
             <rect class=\"page\" width=\"{width}\" height=\"{height}\" rx=\"6\"/>\n",
            escaped(self.title)
        );
        self.heading(&mut svg, scale.left);
        grid(&mut svg, &scale, height - 30.0);
        for (place, bars) in self.bars.iter().enumerate() {
            row(&mut svg, &scale, bars, TOP + place as f64 * (2.0 * BAR + GAP));
        }
        svg += "</svg>\n";
        svg
    }

    fn heading(&self, svg: &mut String, left: f64) {
        text(svg, "title", 16.0, 28.0, self.title);
        text(svg, "note", 16.0, 48.0, self.subtitle);
        let mut x = left;
        for name in ["vodozemac", "libolm"] {
            rectangle(svg, name, x, 57.0, 12.0, 12.0);
            text(svg, "note", x + 18.0, 67.0, name);
            x += 110.0;
        }
    }
}

const STYLE: &str = "<style>
text { font: 12px system-ui, sans-serif; fill: #1f2328 }
.title { font-size: 16px; font-weight: 600 }
.note { font-size: 11px; fill: #59636e }
.label { text-anchor: end }
.tick { font-size: 11px; text-anchor: middle; fill: #59636e }
.page { fill: #ffffff }
.grid { fill: #d1d9e0 }
.one { fill: #1f2328 }
.vodozemac { fill: #0969da }
.libolm { fill: #bf8700 }
@media (prefers-color-scheme: dark) {
text { fill: #f0f6fc }
.note, .tick { fill: #9198a1 }
.page { fill: #0d1117 }
.grid { fill: #3d444d }
.one { fill: #f0f6fc }
.vodozemac { fill: #4493f8 }
.libolm { fill: #d29922 }
}
</style>
";

fn grid(svg: &mut String, scale: &Scale, bottom: f64) {
    for tick in TICKS.into_iter().filter(|tick| (scale.least..=scale.greatest).contains(tick)) {
        let class = if tick == 1.0 { "one" } else { "grid" };
        rectangle(svg, class, scale.place(tick) - 0.5, TOP - 4.0, 1.0, bottom - TOP + 4.0);
        text(svg, "tick", scale.place(tick), bottom + 16.0, &tick.to_string());
    }
}

fn row(svg: &mut String, scale: &Scale, bars: &Bars, top: f64) {
    text(svg, "label", scale.left - 10.0, top + BAR + 4.0, &bars.label);
    let peers = [("vodozemac", bars.vodozemac), ("libolm", bars.libolm)];
    for (line, (class, value)) in peers.into_iter().enumerate() {
        let Some(value) = value else { continue };
        let (from, to) = (scale.place(value.min(1.0)), scale.place(value.max(1.0)));
        let y = top + line as f64 * BAR;
        rectangle(svg, class, from, y, to - from, BAR - 1.0);
        text(svg, "note", to + 5.0, y + BAR - 2.0, &ratio(value));
    }
}

fn rectangle(svg: &mut String, class: &str, x: f64, y: f64, width: f64, height: f64) {
    // Writing to a string cannot fail.
    let _ = writeln!(
        svg,
        "<rect class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\"/>"
    );
}

fn text(svg: &mut String, class: &str, x: f64, y: f64, content: &str) {
    let content = escaped(content);
    let _ = writeln!(svg, "<text class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\">{content}</text>");
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

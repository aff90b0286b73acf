//! The picture of cost against size, drawn from the table of `docs/benchmarks.md` that `scripts/bench registry` prints.
//!
//! Each line shows how many times as much it costs as with the fewest clients, both axes by powers of ten: a cost that follows
//! the change is flat, one that follows the total rises by one decade with each decade. Every number is one of the table.

use std::fmt::Write;

/// Where the picture lies.
pub const PATH: &str = "docs/pictures/cost-by-size.svg";
/// Where the table stands.
pub const SOURCE: &str = "docs/benchmarks.md";

/// How the header of the table begins.
const HEADER: &str = "| clients | a spec changes";
/// The columns that are drawn, by what their header begins with, and what the line is called.
const LINES: [(&str, &str); 3] = [
    ("a spec changes", "one client changes"),
    ("a policy of the tenant", "the tenant's policy changes"),
    ("everything at once", "everything is judged again"),
];

/// The area in which lines are drawn, in the units of the picture.
const LEFT: f64 = 70.0;
const RIGHT: f64 = 460.0;
const TOP: f64 = 60.0;
const BOTTOM: f64 = 290.0;
/// Names of lines do not lie closer together.
const APART: f64 = 20.0;

/// A column of the table.
#[derive(Debug, PartialEq)]
struct Column {
    name: &'static str,
    /// How many times the first cost, by the number of clients.
    points: Vec<(f64, f64)>,
}

/// The picture, or what is wrong with the table.
pub fn cost_by_size(markdown: &str) -> Result<String, String> {
    let lines = lines(markdown)?;
    let clients: Vec<f64> = lines[0]
        .points
        .iter()
        .map(|(clients, _)| *clients)
        .collect();
    let costs = lines.iter().flat_map(|line| &line.points);
    let most = costs.fold(10.0, |most: f64, (_, cost)| most.max(*cost));
    let scale = Scale {
        clients: (clients[0], clients[clients.len() - 1]),
        decades: most.log10().ceil(),
    };
    Ok(drawn(&lines, &clients, &scale))
}

/// The columns that are drawn.
fn lines(markdown: &str) -> Result<Vec<Column>, String> {
    let mut rows = markdown
        .lines()
        .skip_while(|line| !line.starts_with(HEADER))
        .take_while(|line| line.starts_with('|'))
        .map(cells);
    let header = rows.next().ok_or("there is no table of the registry")?;
    let rows: Vec<_> = rows.skip(1).collect();
    if rows.len() < 2 {
        return Err("the table of the registry has fewer than two sizes".to_owned());
    }
    let column = |(begin, name): (&str, &'static str)| {
        let at = header.iter().position(|cell| cell.starts_with(begin));
        let at = at.ok_or(format!("no column begins with {begin:?}"))?;
        let points = rows.iter().map(|row| point(row, at));
        let mut points = points.collect::<Result<Vec<_>, _>>()?;
        let first = points[0].1;
        for (_, cost) in &mut points {
            *cost /= first;
        }
        Ok(Column { name, points })
    };
    LINES.into_iter().map(column).collect()
}

fn cells(row: &str) -> Vec<String> {
    let cells = row.trim_matches('|').split('|');
    cells.map(|cell| cell.trim().to_owned()).collect()
}

/// The number of clients of a row, and the microseconds of a cell.
fn point(row: &[String], at: usize) -> Result<(f64, f64), String> {
    let clients = row.first().map(|cell| cell.replace(',', ""));
    let clients: Option<f64> = clients.and_then(|cell| cell.parse().ok());
    let cost = row.get(at).and_then(|cell| micros(cell));
    let point = clients.zip(cost.filter(|cost| *cost > 0.0));
    point.ok_or(format!("{row:?} has no number of clients or no time"))
}

/// The first number of a cell, in its unit.
fn micros(cell: &str) -> Option<f64> {
    let factor = match cell.rsplit(' ').next()? {
        "µs" => 1.0,
        "ms" => 1e3,
        "s" => 1e6,
        _ => return None,
    };
    let digits = |c: char| c.is_ascii_digit() || c == '.';
    let number = cell.split(|c| !digits(c)).next()?;
    Some(number.parse::<f64>().ok()? * factor)
}

/// Where a value lies.
struct Scale {
    /// The fewest and the most.
    clients: (f64, f64),
    /// How many powers of ten the costs span; half of one lies below the first cost.
    decades: f64,
}

impl Scale {
    fn x(&self, clients: f64) -> f64 {
        let (least, most) = self.clients;
        LEFT + (RIGHT - LEFT) * (clients / least).log10() / (most / least).log10()
    }

    fn y(&self, cost: f64) -> f64 {
        BOTTOM - (BOTTOM - TOP) * (cost.log10() + 0.5) / (self.decades + 0.5)
    }
}

fn drawn(lines: &[Column], clients: &[f64], scale: &Scale) -> String {
    let mut svg = String::from(HEAD);
    let mut cost = 1.0;
    while cost <= 10_f64.powf(scale.decades) {
        let y = scale.y(cost);
        line(
            &mut svg,
            &format!("<path class=\"grid\" d=\"M{LEFT} {y:.1} H{RIGHT}\"/>"),
        );
        let x = LEFT - 10.0;
        line(
            &mut svg,
            &format!(
                "<text class=\"end\" x=\"{x}\" y=\"{:.1}\">{} ×</text>",
                y + 5.0,
                number(cost)
            ),
        );
        cost *= 10.0;
    }
    for clients in clients {
        let (x, y) = (scale.x(*clients), BOTTOM + 24.0);
        line(
            &mut svg,
            &format!(
                "<text class=\"middle\" x=\"{x:.1}\" y=\"{y}\">{}</text>",
                number(*clients)
            ),
        );
    }
    curves(&mut svg, lines, scale);
    svg.push_str("</svg>\n");
    svg
}

/// The lines with their points and names.
fn curves(svg: &mut String, lines: &[Column], scale: &Scale) {
    for ((name, y), (at, of)) in names(lines, scale)
        .into_iter()
        .zip(lines.iter().enumerate())
    {
        let points = of.points.iter();
        let points = points.map(|(clients, cost)| (scale.x(*clients), scale.y(*cost)));
        let points: Vec<_> = points.collect();
        let path: Vec<String> = points
            .iter()
            .map(|(x, y)| format!("{x:.1},{y:.1}"))
            .collect();
        line(
            svg,
            &format!(
                "<polyline class=\"line l{at}\" points=\"{}\"/>",
                path.join(" ")
            ),
        );
        for (x, y) in points {
            line(
                svg,
                &format!("<circle class=\"dot l{at}\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"4\"/>"),
            );
        }
        let x = RIGHT + 14.0;
        line(
            svg,
            &format!("<text class=\"name l{at}\" x=\"{x}\" y=\"{y:.1}\">{name}</text>"),
        );
    }
}

fn line(svg: &mut String, element: &str) {
    let _ = writeln!(svg, "  {element}");
}

/// What each line is called and where that is written: beside its end, and none over another.
fn names(lines: &[Column], scale: &Scale) -> Vec<(&'static str, f64)> {
    let end = |line: &Column| {
        line.points
            .last()
            .map_or(BOTTOM, |(_, cost)| scale.y(*cost))
    };
    let mut names: Vec<(usize, f64)> = lines.iter().map(end).enumerate().collect();
    names.sort_by(|(_, one), (_, other)| one.total_cmp(other));
    for at in 1..names.len() {
        names[at].1 = names[at].1.max(names[at - 1].1 + APART);
    }
    names.sort_by_key(|(at, _)| *at);
    let names = names.into_iter();
    names.map(|(at, y)| (lines[at].name, y + 5.0)).collect()
}

/// With a comma before each three digits.
fn number(value: f64) -> String {
    let digits = format!("{value:.0}");
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

const HEAD: &str = r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 720 350" role="img" aria-labelledby="title desc">
  <title id="title">Cost against the number of clients</title>
  <desc id="desc">How many times as much the registry takes as with the fewest clients. What one changed client costs stays the same; what concerns every client rises with their number.</desc>
  <style>
    .page { fill: #ffffff; stroke: #d0d7de }
    text { font: 15px ui-sans-serif, system-ui, sans-serif; fill: #1f2328 }
    .head { font-weight: 600 }
    .end { text-anchor: end }
    .middle { text-anchor: middle }
    .grid { stroke: #d0d7de; fill: none }
    .line { fill: none; stroke-width: 3; stroke-linejoin: round }
    .l0 { stroke: #0d6863 }
    .l1 { stroke: #8250df; stroke-dasharray: 8 4 }
    .l2 { stroke: #59636e; stroke-dasharray: 2 4 }
    .dot { fill: #ffffff; stroke-width: 2; stroke-dasharray: none }
    .name { stroke: none }
    .name.l0 { fill: #0d6863 }
    .name.l1 { fill: #8250df }
    .name.l2 { fill: #59636e }
    @media (prefers-color-scheme: dark) {
      .page { fill: #0d1117; stroke: #3d444d }
      text { fill: #f0f6fc }
      .grid { stroke: #3d444d }
      .dot { fill: #0d1117 }
      .l0 { stroke: #3fb6ad }
      .l1 { stroke: #ab7df8 }
      .l2 { stroke: #9198a1 }
      .name { stroke: none }
      .name.l0 { fill: #3fb6ad }
      .name.l1 { fill: #ab7df8 }
      .name.l2 { fill: #9198a1 }
    }
  </style>
  <rect class="page" x="1" y="1" width="718" height="348" rx="12"/>
  <text class="head" x="30" y="36">What the registry takes, as a multiple of what it takes with the fewest clients</text>
  <text class="middle" x="265" y="336">clients</text>
"#;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::read;

    const TABLE: &str = "\
text
| clients | a spec changes: mean, p99 | a policy of the tenant changes | its longest step | everything at once |
|---|---|---|---|---|
| 1000 | 20.0, 31.5 µs | 2.0 ms | 2.0 ms | 4.0 ms |
| 10000 | 25.0, 40.1 µs | 20.0 ms | 2.1 ms | 50.0 ms |
text
";

    #[test]
    fn the_picture_is_drawn_from_the_table() {
        let lines = lines(TABLE).unwrap();
        let costs: Vec<f64> = lines.iter().map(|line| line.points[1].1).collect();
        assert_eq!(costs, [1.25, 10.0, 12.5]);
        let svg = cost_by_size(TABLE).unwrap();
        assert_eq!(svg.matches("<polyline").count(), 3);
        for text in [
            "<title",
            "<desc",
            "10,000",
            "100 ×",
            "prefers-color-scheme: dark",
        ] {
            assert!(svg.contains(text), "{text}");
        }
    }

    #[test]
    fn a_table_that_cannot_be_read_is_no_picture() {
        let no_time = TABLE.replace("50.0 ms", "many");
        let no_column = TABLE.replace("everything", "something");
        let first = TABLE.lines().take(4).collect::<Vec<_>>();
        let one_size = first.join("\n");
        for broken in ["", &no_time, &no_column, &one_size] {
            assert!(cost_by_size(broken).is_err(), "{broken}");
        }
    }

    #[test]
    fn no_name_lies_over_another() {
        let scale = Scale {
            clients: (1e3, 1e5),
            decades: 2.0,
        };
        let end = |cost| Column {
            name: "name",
            points: vec![(1e5, cost)],
        };
        let names = names(&[end(99.0), end(1.0), end(100.0)], &scale);
        let mut places: Vec<f64> = names.iter().map(|(_, y)| *y).collect();
        places.sort_by(f64::total_cmp);
        assert!(places.windows(2).all(|pair| pair[1] - pair[0] >= APART));
    }

    #[test]
    fn the_picture_says_in_words_what_it_shows() {
        for page in ["README.md", SOURCE] {
            let text = read(page);
            let shown = text.lines().find(|line| line.contains("cost-by-size.svg"));
            let alt = shown.and_then(|line| {
                let html = line.split_once("alt=\"").map(|(_, rest)| rest);
                html.or_else(|| line.split_once("![").map(|(_, rest)| rest))
            });
            assert!(
                alt.is_some_and(|alt| alt.find(['"', ']']) > Some(20)),
                "{page}"
            );
        }
    }
}

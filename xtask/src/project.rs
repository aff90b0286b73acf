//! The crates of a source tree: which file is which module, and what a path means in it.

use std::collections::{BTreeMap, BTreeSet};

use crate::code::{Code, Import, Part};
use crate::source;

/// The path of a module from the root of its crate.
pub type ModulePath = Vec<String>;

/// A source tree.
pub struct Project {
    /// Every file under `src/` and `xtask/src/`, its path from the root of the repository → its text.
    pub files: BTreeMap<String, String>,
    /// Every library and program.
    pub crates: Vec<Crate>,
}

/// A library or a program.
pub struct Crate {
    /// The file of its root module.
    pub root: String,
    /// Every module that has a file.
    pub modules: BTreeMap<ModulePath, Module>,
    /// Every module, those within files included.
    paths: BTreeSet<ModulePath>,
}

/// A module with a file of its own.
pub struct Module {
    /// Its file.
    pub file: String,
    /// Its production code; empty if the whole module is compiled for tests only.
    pub code: Code,
    /// Whether it is compiled for tests only.
    pub for_tests: bool,
}

impl Project {
    /// Reads this repository.
    pub fn load() -> Result<Self, String> {
        let folders = ["src", "xtask/src"].into_iter();
        let sources = folders.flat_map(source::rust_files);
        Self::of(sources.map(|file| (file.path, file.text)).collect())
    }

    /// Takes in a source tree. Fails if a file cannot be parsed, or no `mod` leads to it.
    pub fn of(files: BTreeMap<String, String>) -> Result<Self, String> {
        let is_root = |path: &&String| {
            let mut parts = path.rsplit('/');
            let name = parts.next().unwrap_or_default();
            let folder = path.trim_end_matches(name);
            let depth = folder.matches('/').count();
            ["lib.rs", "main.rs"].contains(&name) && depth == 2
        };
        let roots = files.keys().filter(is_root);
        let crates: Result<Vec<Crate>, String> =
            roots.map(|root| Crate::of(root, &files)).collect();
        let project = Self {
            crates: crates?,
            files,
        };
        let reached: BTreeSet<&String> = project.modules().map(|module| &module.file).collect();
        let orphans: Vec<&String> = project
            .files
            .keys()
            .filter(|file| !reached.contains(file))
            .collect();
        if orphans.is_empty() {
            Ok(project)
        } else {
            Err(format!(
                "no `mod` leads to these files, so nothing compiles them: {orphans:?}"
            ))
        }
    }

    /// Every module, those of tests included.
    pub fn modules(&self) -> impl Iterator<Item = &Module> {
        self.crates.iter().flat_map(|one| one.modules.values())
    }

    /// Every module that is compiled into a program.
    pub fn production(&self) -> impl Iterator<Item = &Module> {
        self.modules().filter(|module| !module.for_tests)
    }

    /// The library in a folder.
    pub fn library(&self, folder: &str) -> Option<&Crate> {
        let root = format!("{folder}/lib.rs");
        self.crates.iter().find(|one| one.root == root)
    }
}

impl Crate {
    fn of(root: &str, files: &BTreeMap<String, String>) -> Result<Self, String> {
        let mut one = Self {
            root: root.to_owned(),
            modules: BTreeMap::new(),
            paths: BTreeSet::new(),
        };
        one.take_in(Vec::new(), root, false, files)?;
        Ok(one)
    }

    fn take_in(
        &mut self,
        path: ModulePath,
        file: &str,
        for_tests: bool,
        files: &BTreeMap<String, String>,
    ) -> Result<(), String> {
        let text = files
            .get(file)
            .ok_or_else(|| format!("{file} is declared and missing"))?;
        let parse = |part| Code::parse(text, part).map_err(|error| format!("{file}: {error}"));
        // What is compiled for tests only is still followed, so that every file is accounted for.
        for item in parse(Part::Everything)?.mods {
            if item.has_path {
                return Err(format!(
                    "{file}: #[path] on mod {} is not followed",
                    item.name
                ));
            }
            if item.body.is_none() {
                let child = [&path[..], &item.within, std::slice::from_ref(&item.name)].concat();
                let below = self.file_of(&child, files);
                self.take_in(child, &below, for_tests || item.for_tests, files)?;
            }
        }
        let code = if for_tests {
            Code::parse("", Part::Production)?
        } else {
            parse(Part::Production)?
        };
        let inline = code.mods.iter().filter(|item| item.body.is_some());
        let inline =
            inline.map(|item| [&path[..], &item.within, std::slice::from_ref(&item.name)].concat());
        self.paths.extend(inline);
        self.paths.insert(path.clone());
        let module = Module {
            file: file.to_owned(),
            code,
            for_tests,
        };
        self.modules.insert(path, module);
        Ok(())
    }

    fn file_of(&self, module: &[String], files: &BTreeMap<String, String>) -> String {
        let folder = self.root.rsplit_once('/').map_or("", |(folder, _)| folder);
        let stem = format!("{folder}/{}", module.join("/"));
        let inside = format!("{stem}/mod.rs");
        if files.contains_key(&inside) {
            inside
        } else {
            format!("{stem}.rs")
        }
    }

    /// The modules of this crate, other than itself, that a module's production code names, each with the names as written.
    pub fn uses(&self, module: &ModulePath) -> BTreeMap<ModulePath, BTreeSet<String>> {
        let mut uses: BTreeMap<ModulePath, BTreeSet<String>> = BTreeMap::new();
        let Some(this) = self.modules.get(module) else {
            return uses;
        };
        let imports = this.code.imports.iter();
        let mut named: Vec<(Vec<String>, Vec<String>)> = imports
            .map(|import| (import.segments.clone(), import.within.clone()))
            .collect();
        named.extend(
            this.code
                .paths()
                .into_iter()
                .map(|path| (path.segments, path.within)),
        );
        for (segments, within) in named {
            let from = [&module[..], &within].concat();
            let home = self
                .absolute(&from, &segments, 0)
                .map(|path| self.home(&path, 0));
            if let Some(home) = home
                && home != *module
            {
                uses.entry(home).or_default().insert(segments.join("::"));
            }
        }
        uses
    }

    /// The path from the root of the crate, if it is one of this crate.
    fn absolute(&self, from: &[String], segments: &[String], depth: usize) -> Option<ModulePath> {
        let (head, rest) = segments.split_first()?;
        match head.as_str() {
            "crate" => Some(rest.to_vec()),
            "self" => Some(climb(from, rest)),
            "super" => Some(climb(from, segments)),
            _ => {
                let child = [from, std::slice::from_ref(head)].concat();
                if self.is_module(&child) {
                    return Some([&child[..], rest].concat());
                }
                let import = self.import(from, head)?;
                let known = import.segments != segments && depth < 8;
                let target = known.then(|| self.absolute(from, &import.segments, depth + 1))??;
                Some([&target[..], rest].concat())
            }
        }
    }

    /// The module with a file that declares an item; a re-export is followed.
    fn home(&self, path: &[String], depth: usize) -> ModulePath {
        let lengths = (0..=path.len()).rev();
        let mut prefixes = lengths.map(|length| path.split_at(length));
        let (module, rest) = prefixes
            .find(|(prefix, _)| self.is_module(prefix))
            .unwrap_or((&[], path));
        if let Some((name, below)) = rest.split_first()
            && depth < 8
            && let Some(target) = self.reexported(module, name)
        {
            return self.home(&[&target[..], below].concat(), depth + 1);
        }
        let lengths = (0..=module.len()).rev();
        let mut files = lengths.map(|length| &module[..length]);
        files
            .find(|prefix| self.modules.contains_key(*prefix))
            .unwrap_or_default()
            .to_vec()
    }

    fn reexported(&self, module: &[String], name: &str) -> Option<ModulePath> {
        if let Some(import) = self.import(module, name) {
            return self.absolute(module, &import.segments, 0);
        }
        let globs = self.imports(module).filter(|import| import.name.is_none());
        let mut targets = globs.filter_map(|import| self.absolute(module, &import.segments, 0));
        let declares = |target: &ModulePath| {
            let keywords = [
                "struct", "enum", "trait", "type", "union", "fn", "const", "static",
            ];
            let module = self.modules.get(target);
            module.is_some_and(|module| module.code.declared(&keywords).any(|known| known == name))
        };
        let target = targets.find(declares)?;
        Some([&target[..], &[name.to_owned()]].concat())
    }

    fn import(&self, module: &[String], name: &str) -> Option<&Import> {
        self.imports(module)
            .find(|import| import.name.as_deref() == Some(name))
    }

    /// The imports of a module, be it a file or a module within one.
    fn imports(&self, module: &[String]) -> impl Iterator<Item = &Import> {
        let lengths = (0..=module.len()).rev();
        let mut files =
            lengths.filter_map(|length| Some((length, self.modules.get(&module[..length])?)));
        let (length, file) = files.next().unzip();
        let within = &module[length.unwrap_or_default()..];
        let imports = file
            .into_iter()
            .flat_map(|file: &Module| &file.code.imports);
        imports.filter(move |import| import.within == within)
    }

    fn is_module(&self, path: &[String]) -> bool {
        self.paths.contains(path)
    }
}

/// `super::super::x` from a module.
fn climb(from: &[String], mut segments: &[String]) -> ModulePath {
    let mut module = from;
    while let Some((head, rest)) = segments.split_first()
        && head == "super"
    {
        module = module.split_last().map_or(&[][..], |(_, above)| above);
        segments = rest;
    }
    [module, segments].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::planted;

    #[test]
    fn a_module_for_tests_covers_what_lies_below_it() {
        let project = planted(&[
            ("src/a/lib.rs", "#[cfg(test)] mod tests; mod b;"),
            ("src/a/tests.rs", "mod deep;"),
            ("src/a/tests/deep.rs", ""),
            ("src/a/b.rs", ""),
        ]);
        let production = project.production().map(|module| module.file.as_str());
        let production: BTreeSet<&str> = production.collect();
        assert_eq!(production, BTreeSet::from(["src/a/b.rs", "src/a/lib.rs"]));
    }

    #[test]
    fn a_file_that_nothing_compiles_or_that_lies_elsewhere_is_refused() {
        let refused = |root: &str| {
            let files = [("src/a/lib.rs", root), ("src/a/b.rs", "")];
            let files = files.map(|(path, text)| (path.to_owned(), text.to_owned()));
            Project::of(files.into()).is_err()
        };
        assert!(!refused("mod b;"));
        for root in ["", "mod b; mod c;", "#[path = \"b.rs\"] mod b;", "mod b"] {
            assert!(refused(root), "{root}");
        }
    }
}

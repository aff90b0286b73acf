fn main() { for d in clientele::api::crd::definitions() { println!("---\n{}", clientele::api::crd::to_yaml(&d)); } }

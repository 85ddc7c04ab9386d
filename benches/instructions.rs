//! Runs one case a given number of times, for a tool that counts instructions:
//! `npm run bench:instructions` runs it with callgrind.
//!
//! Without arguments it prints the names of all cases. With the name of one and a number of steps
//! it runs that. The instructions of a step are the difference of two runs: what a process does
//! before and after is the same in both.

mod cases;

fn main() {
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| arg != "--bench").collect();
    match args.as_slice() {
        [name, steps] => {
            let mut all = cases::all();
            let case = all.iter_mut().find(|case| case.name == name).expect("the name of a case");
            let steps: usize = steps.parse().expect("a number of steps");
            for _ in 0..steps {
                (case.step)();
            }
        }
        _ => cases::all().iter().for_each(|case| println!("{}", case.name)),
    }
}

//! `plenary-server`: the process around the library.

use std::io::Write;
use std::process::ExitCode;
use std::sync::Arc;

use chrono::Utc;
use etcetera::BaseStrategy;
use plenary_server::command_line::{self, Machine};
use plenary_server::config::Environment;
use plenary_shared::time::Timestamp;
use rand::TryRng;
use rand::rngs::SysRng;

fn main() -> ExitCode {
    // Only a second call fails.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => {
            // A failure cannot be reported anywhere else.
            let _ = writeln!(
                std::io::stderr(),
                "plenary-server: starting the threads failed: {error}"
            );
            return ExitCode::FAILURE;
        }
    };
    let machine = Machine {
        environment: Environment {
            variable: &|name| std::env::var_os(name),
            variable_names: &|| {
                let names = std::env::vars_os().map(|(name, _)| name);
                names.filter_map(|name| name.into_string().ok()).collect()
            },
            config_default: etcetera::choose_base_strategy()
                .ok()
                .map(|strategy| strategy.config_dir().join("plenary/server.toml")),
            data_default: etcetera::choose_base_strategy()
                .ok()
                .map(|strategy| strategy.data_dir().join("plenary")),
        },
        clock: Arc::new(|| Timestamp::from(Utc::now())),
        randomness: Arc::new(|bytes| {
            SysRng
                .try_fill_bytes(bytes)
                .expect("the operating system provides randomness");
        }),
    };
    runtime.block_on(command_line::run(std::env::args_os(), &machine))
}

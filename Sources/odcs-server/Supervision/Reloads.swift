import Logging
import ServiceLifecycle
import ServiceLog
import UnixSignals

/// A service that reads the configuration file again at each SIGHUP, which `systemctl reload` sends,
/// and takes over the log level. The files of TLS need no signal, because they are read when they
/// change.
struct Reloads: Service {
    /// The configuration file. `nil` if the process has none.
    private let file: String?
    private let logger: Logger
    private let hangups: UnixSignalsSequence

    /// From now on, the signal does not end the process.
    init(file: String?, logger: Logger) async {
        self.file = file
        self.logger = logger
        hangups = await UnixSignalsSequence(trapping: .sighup)
    }

    func run() async throws {
        await cancelWhenGracefulShutdown {
            for await _ in hangups { reload() }
        }
    }

    private func reload() {
        do {
            let level = try ServerConfiguration.load(file).log.level
            LogLevel.current = level
            logger.notice("the log level was read again; other settings need a restart", metadata: ["level": "\(level)"])
        } catch {
            logger.error("the configuration has a mistake, and nothing of it was taken over", metadata: ["error": "\(error)"])
        }
    }
}

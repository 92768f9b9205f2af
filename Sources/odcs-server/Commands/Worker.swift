import ArgumentParser

/// The command `odcs-server worker`: one worker alone.
struct Worker: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Run a worker only: it makes the composes that are waiting.",
        discussion: "Several workers, on one host or on several, share the database and the target directories.")

    @OptionGroup var options: ConfigurationOptions

    func run() async throws {
        let configuration = try options.load()
        try ProcessRole.worker.check(configuration, file: options.config)
        try await configuration.run([.worker], file: options.config)
    }
}

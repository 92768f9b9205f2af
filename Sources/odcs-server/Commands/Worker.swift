import ArgumentParser

/// The command `odcs-server worker`: one worker alone.
struct Worker: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Run a worker only: it makes the composes that are waiting.",
        discussion: "Several workers, on one host or on several, share the database and the target directories.")

    @OptionGroup var options: ConfigurationOptions

    func run() async throws {
        let configuration = try options.load()
        let unserved = configuration.composes.targets.filter { $0.value.url == nil }
        guard configuration.frontend.publicURL != nil || unserved.isEmpty else {
            throw ConfigurationError(
                file: options.config ?? "the defaults", line: nil, key: "frontend.public_url",
                message: "a worker on its own must know where composes are served: it writes the addresses into their .repo files")
        }
        try await configuration.run([.worker], file: options.config)
    }
}

import ArgumentParser

/// The command `odcs-server run`: the frontend and one worker in one process.
struct Run: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Run the whole service, frontend and worker, in one process.")

    @OptionGroup var options: ConfigurationOptions
    @Option(help: "Write the address that is listened on into this file, as soon as requests are answered.")
    var addressFile: String?

    func run() async throws { try await options.load().run([.frontend, .worker], file: options.config, addressFile: addressFile) }
}

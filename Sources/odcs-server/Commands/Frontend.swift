import ArgumentParser

/// The command `odcs-server frontend`: the frontend alone.
struct Frontend: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Run the frontend only: it answers requests and serves finished composes.")

    @OptionGroup var options: ConfigurationOptions
    @Option(help: "Write the address that is listened on into this file, as soon as requests are answered.")
    var addressFile: String?

    func run() async throws { try await options.load().run([.frontend], file: options.config, addressFile: addressFile) }
}

import ArgumentParser
import ContentSources

struct CheckConfig: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check-config", abstract: "Check a configuration file, and say with key and line what is wrong with it.")

    @OptionGroup var options: ConfigurationOptions

    func run() async throws {
        let configuration = try options.load()
        do {
            _ = try SourceAccess(
                allowedRoots: configuration.sources.allowedRoots, allowedURLPrefixes: configuration.sources.allowedURLs)
        } catch {
            throw ConfigurationError(file: options.config ?? "the defaults", line: nil, key: "sources", message: "\(error)")
        }
        print("\(options.config ?? "The defaults"): fine.")
    }
}

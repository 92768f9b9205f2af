import ArgumentParser
import ComposeClient
import ForeignText
import Foundation
import SystemPackage

/// The command-line client of an ODCS service.
@main
struct Odcs: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "odcs",
        abstract: "Ask an ODCS service for temporary RPM repositories, made to order.",
        discussion: """
            EXAMPLES
              odcs submit repo ./tests-repo ed       ed and all that it needs
              odcs submit tag f26 httpd --no-deps    only httpd, from a koji tag
              odcs list --state done --owner me
              odcs renew 12 --ttl 2d
              odcs watch-tag f26 --packages httpd    again whenever it changes

            SETTINGS
              First options count, then the environment (ODCS_SERVER, ODCS_TOKEN,
              ODCS_TOKEN_FILE, ODCS_PROFILE), then odcs.toml in $XDG_CONFIG_HOME or
              ~/.config with the keys server and token, and sections
              [profiles.NAME] for --profile. Then the token that
              'odcs login' has kept for the server. The default server is
              \(Settings.defaultServer).

            PROXIES AND CERTIFICATES
              As curl, it reads http_proxy, https_proxy, all_proxy and no_proxy.
              SSL_CERT_FILE, SSL_CERT_DIR or REQUESTS_CA_BUNDLE name the certificates
              to trust instead of the system's.

            PYTHON CLIENT
              Its commands (odcs[client] on PyPI) are here under their names. With
              --json those that create print what it prints: where they wait, the
              line 'Waiting for command create-tag on compose 12 to finish.', which
              --quiet leaves out, then JSON.

            EXIT STATUS
              0    what was asked for happened
              1    the compose or a build failed, or its files are removed; or an
                   image is not the one that was asked for
              2    the request was refused, the server cannot be reached, or
                   another error
              64   the command was not understood
              130  interrupted; what was waited for or followed goes on

            COMPLETION
              odcs --generate-completion-script bash|zsh|fish
            """,
        subcommands: [
            Submit.self, Get.self, List.self, Wait.self, Watch.self, Renew.self, Delete.self, Why.self, WhyNot.self, Diff.self,
            About.self,
        ],
        groupedSubcommands: [
            CommandGroup(
                name: "Container images",
                subcommands: [Fetch.self, Load.self, Image.self, RebuildCommand.self, Rebuilds.self, RuleCommand.self]),
            CommandGroup(name: "Farms", subcommands: [FarmCommand.self, NodeCommand.self]),
            CommandGroup(name: "Access", subcommands: [Login.self, Logout.self, WhoAmI.self, TokenCommand.self]),
            CommandGroup(name: "Watching tags", subcommands: [WatchTag.self, Watches.self, Unwatch.self]),
            CommandGroup(
                name: "Python client's",
                subcommands: [
                    Create<SubmitTag>.self, Create<SubmitModule>.self, Create<SubmitBuild>.self, Create<SubmitPulp>.self,
                    Create<SubmitRawConfig>.self, CreateOfType.self,
                ]),
        ])

    // These options are here too, so that they may come before the subcommand.
    @OptionGroup(title: "WAITING") var patience: PatienceOptions
    @OptionGroup(title: "SERVICE") var connection: ConnectionOptions

    static func main() async {
        Foundation.exit(await run(Array(CommandLine.arguments.dropFirst()), in: .process).rawValue)
    }

    /// Runs the command that `arguments` name. Prints an error, if one occurs, and returns the exit status.
    static func run(_ arguments: [String], in console: Console) async -> ExitStatus {
        await Console.$current.withValue(console) {
            do {
                var command = try parseAsRoot(arguments)
                if var command = command as? any AsyncParsableCommand {
                    try await command.run()
                } else {
                    try command.run()
                }
                return .success
            } catch {
                return report(error, to: console)
            }
        }
    }

    private static func report(_ error: any Error, to console: Console) -> ExitStatus {
        var text: String?
        var (status, stream) = (ExitStatus.error, console.err)
        switch error {
        case let failure as CommandFailure:
            status = failure.status
            text = failure.message.map { "odcs: \($0)" }
        case let error as ComposeClientError:
            text = "odcs: \(error)\(hint(for: error))"
        case Errno.brokenPipe:
            status = .outputClosed
        case let error as Errno:
            text = "odcs: cannot write: \(error)"
        default:
            // Help and completion scripts arrive here too. argument-parser calls them a clean exit.
            let message = fullMessage(for: error, columns: console.err.isTerminal ? console.err.columns() : nil)
            text = message.hasPrefix("Error: ") ? "odcs: \(message.dropFirst(7))" : message
            switch exitCode(for: error) {
            case .success: (status, stream) = (.success, console.out)
            case .validationFailure: status = .usage
            default: status = .error
            }
        }
        guard let text else { return status }
        do {
            try stream.line(text.printable(keepingLines: true))
        } catch {
            // There is no stream left for a message.
            return status == .success ? .outputClosed : status
        }
        return status
    }

    private static func hint(for error: ComposeClientError) -> String {
        switch (error.code, error.status) {
        case (.unreachable, _):
            "; is the server running, is the address right (--server, ODCS_SERVER, ~/.config/odcs.toml)?"
        case (.timedOut, _):
            "; the request may have succeeded all the same, 'odcs list' shows it"
        case (.refused, 401):
            "; log in with 'odcs login', or give a token with --token-file, ODCS_TOKEN or ODCS_TOKEN_FILE"
        default: ""
        }
    }
}

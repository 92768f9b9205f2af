import ArgumentParser
import ComposeClient
import HTTPTypes
import ScriptedService
import Testing

@testable import odcs

@Suite("Settings and errors")
struct SettingsTests {
    private static let file = """
        server = "http://file:1"
        token = "of-file"

        [profiles.staging]
        server = "http://staging:2"
        token = "of-staging"

        [profiles.bare]
        server = "http://bare:3"
        """

    private static func settings(
        _ arguments: [String], _ environment: [String: String] = [:], file: String? = Self.file
    ) throws -> (server: String, token: String?) {
        let home = try TemporaryDirectory(files: file.map { [".config/odcs.toml": $0, "token": "of-token-file\n"] } ?? [:])
        let nothing = Console.Stream(isTerminal: false, columns: { 80 }, write: { _ in })
        let console = Console(
            environment: ["HOME": home.path].merging(environment) { $1 }, directory: home.path, input: .none, out: nothing, err: nothing,
            clock: StepClock(), interruptions: { AsyncStream<Void> { _ in } })
        let settings = try Settings(ConnectionOptions.parse(arguments), in: console)
        return (settings.server.description, settings.token)
    }

    @Test(
        "options come before the environment, the environment before the file, the file before the default",
        arguments: [
            ([], [:], "http://file:1", "of-file"),
            ([], ["ODCS_SERVER": "http://env:4", "ODCS_TOKEN": "of-env"], "http://env:4", "of-env"),
            (["--server", "http://opt:5"], ["ODCS_SERVER": "http://env:4", "ODCS_TOKEN": "of-env"], "http://opt:5", "of-env"),
            (["--token-file", "token"], ["ODCS_TOKEN": "of-env"], "http://file:1", "of-token-file\n"),
            (["--profile", "staging"], [:], "http://staging:2", "of-staging"),
            ([], ["ODCS_PROFILE": "staging"], "http://staging:2", "of-staging"),
            (["--profile", "staging"], ["ODCS_PROFILE": "bare"], "http://staging:2", "of-staging"),
            ([], ["ODCS_SERVER": "", "ODCS_TOKEN": ""], "http://file:1", "of-file"),
        ] as [([String], [String: String], String, String)])
    func precedence(arguments: [String], environment: [String: String], server: String, token: String) throws {
        let settings = try Self.settings(arguments, environment)
        #expect(settings.server == server)
        #expect(settings.token == token)
    }

    @Test("without any setting it is the server on this machine, without a token")
    func defaults() throws {
        let settings = try Self.settings([], file: nil)
        #expect(settings.server == "http://127.0.0.1:5005")
        #expect(settings.token == nil)
    }

    @Test(
        "a token of the file goes to no other server than the one beside it",
        arguments: [["--server", "http://opt:5"], ["--profile", "bare"]])
    func confined(arguments: [String]) throws {
        #expect(try Self.settings(arguments).token == nil)
        #expect(try Self.settings(["--server", "http://file:1/"]).token == "of-file")
    }

    @Test("the Python client's sections in the same file are profiles, and its prod is the server where no other is written")
    func pythonClient() throws {
        let file = """
            [redhat]
            [redhat.prod]
            url = "https://prod:6"
            id_provider = "https://id/"
            [redhat.stage]
            url = "https://stage:7"
            """
        #expect(try Self.settings([], file: file).server == "https://prod:6")
        #expect(try Self.settings(["--profile", "stage"], file: file).server == "https://stage:7")
        #expect(try Self.settings([], file: Self.file + "\n" + file) == ("http://file:1", "of-file"))
        #expect(try Self.settings([], file: "token = \"mine\"\n" + file) == ("http://127.0.0.1:5005", "mine"))
    }

    @Test("$XDG_CONFIG_HOME is where the file is looked for, if it is an absolute path")
    func configHome() throws {
        let elsewhere = try TemporaryDirectory(files: ["odcs.toml": #"server = "http://xdg:6""#])
        #expect(try Self.settings([], ["XDG_CONFIG_HOME": elsewhere.path]).server == "http://xdg:6")
        #expect(try Self.settings([], ["XDG_CONFIG_HOME": "relative"]).server == "http://file:1")
    }

    @Test(
        "a mistake in the file is named with its line and key",
        arguments: [
            ("server = 5005", "line 1: 'server' must be a text in quotes, not integer"),
            ("# mine\n\nsever = \"http://h\"", "line 3: there is no key 'sever'; there are server, token and sections [profiles.NAME]"),
            ("server = \"http://h\n", "line 1: "),
            ("profiles = 1", "line 1: 'profiles' is not a section; write [profiles.NAME]"),
            ("server = \"http://h\"\n[profiles.a]\nserver = \"http://a\"\n[profiles.b]\nserver = true", "line 5: 'server' must be"),
            ("[profiles]\na = 1", "line 2: 'profiles.a' is not a section; write [profiles.a]"),
            ("[other]\nserver = \"http://h\"", "line 1: there is no key 'other'"),
        ])
    func mistakes(text: String, message: String) async throws {
        let run = try await CommandRun.odcs(["get", "1"], files: [".config/odcs.toml": text])
        #expect(run.status == .error)
        #expect(run.err.hasPrefix("odcs: HOME/.config/odcs.toml, \(message)"))
        #expect(run.err.split(separator: "\n").count == 1)
    }

    @Test("a profile or a token file that is not there is told")
    func missing() async throws {
        let profile = try await CommandRun.odcs(["get", "1", "--profile", "prod"], files: [".config/odcs.toml": Self.file])
        #expect(profile.err == "odcs: there is no profile 'prod' in HOME/.config/odcs.toml; there are bare, staging\n")
        let none = try await CommandRun.odcs(["get", "1", "--profile", "prod"])
        #expect(none.err == "odcs: there is no profile 'prod' in ~/.config/odcs.toml\n")
        let token = try await CommandRun.odcs(["get", "1", "--token-file", "gone"])
        #expect(token.err == "odcs: the token's file gone cannot be read: there is no such file\n")
        #expect([profile, none, token].allSatisfy { $0.status == .error })
    }

    @Test("the token goes with the request")
    func token() async throws {
        try await ScriptedService.run { service in
            _ = try await CommandRun.odcs(["get", "1"], server: service.address, environment: ["ODCS_TOKEN": "secret"])
            #expect(service.calls.map { $0.headers[.authorization] } == ["Bearer secret"])
        }
    }

    @Test("a server that does not answer is one line, with what to look at, and status 2")
    func unreachable() async throws {
        // The port was bound a moment ago, and is free again.
        let address = try await ScriptedService.run { $0.address }
        let run = try await CommandRun.odcs(["list", "--json"], server: address)

        #expect(run.status == .error)
        #expect(run.out == "")
        #expect(
            run.err
                == "odcs: cannot reach ODCS at \(address): connection refused; is the server running, is the address right "
                + "(--server, ODCS_SERVER, ~/.config/odcs.toml)?\n")
    }

    @Test("a refusal is the service's own words, and a missing token says how to give one")
    func refusals() async throws {
        try await ScriptedService.run { service in
            let missing = try await CommandRun.odcs(["get", "12"], server: service.address)
            #expect(missing.status == .error)
            #expect(missing.err == "odcs: No such compose: 12 (HTTP 404)\n")

            service.next(try .refusal(401, "who are you?"))
            let unknown = try await CommandRun.odcs(["delete", "12"], server: service.address)
            #expect(
                unknown.err
                    == "odcs: who are you? (HTTP 401); log in with 'odcs login', or give a token with --token-file, ODCS_TOKEN or "
                    + "ODCS_TOKEN_FILE\n"
            )
        }
    }

    @Test("help lists the exit statuses, the settings and the completion scripts")
    func help() async throws {
        let run = try await CommandRun.odcs(["--help"])
        #expect(run.status == .success)
        #expect(run.err == "")
        for part in ["EXIT STATUS", "ODCS_SERVER", "--generate-completion-script", "submit", "about"] { #expect(run.out.contains(part)) }
        let submit = try await CommandRun.odcs(["submit", "repo", "--help"])
        #expect(submit.out.contains("include_unpublished_pulp_repos"))
    }
}

import ComposeFrontend
import ComposeModel
import Foundation
import ServiceConfiguration
import SystemPackage
import Testing
import Yams

@testable import odcs_server

/// What an operator may write, and what is said about what they may not.
@Suite struct ConfigurationTests {
    private static let example = FilePath(#filePath).removingLastComponent().removingLastComponent().removingLastComponent()
        .appending("config/odcs-server.yaml")

    private static func exampleText() throws -> String {
        String(decoding: try Data(contentsOf: URL(filePath: example.string)), as: UTF8.self)
    }

    private func parse(_ text: String) throws -> ServerConfiguration {
        try ServerConfiguration(text, file: "odcs.yaml", directory: "/etc/odcs")
    }

    // MARK: The file that shows them all

    /// The keys of a mapping that have a value of their own, with the lines they are on.
    private func leaves(_ mapping: Node.Mapping, below prefix: String = "") -> [(key: String, line: Int)] {
        mapping.flatMap { name, value -> [(String, Int)] in
            let key = prefix + (name.string ?? "")
            return value.mapping.map { leaves($0, below: key + ".") } ?? [(key, name.mark?.line ?? 0)]
        }
    }

    @Test("config/odcs-server.yaml has every key that the program knows, and no other")
    func everyKey() throws {
        let text = try Self.exampleText()
        var reader = try ConfigurationReader(text, file: "odcs-server.yaml", directory: "/")
        _ = try ServerConfiguration(&reader)
        let shown = leaves(try #require(try Yams.compose(yaml: text)?.mapping)).map(\.key)
        // The keys of these mappings are the operator's own.
        let chosen = [
            "access.clients", "artifacts.environments", "auth.openid", "auth.workloads", "composes.targets", "events.subscribers",
            "images.labels", "raw_config.configs",
        ]
        #expect(Set(shown + chosen) == Set(reader.known))
    }

    @Test("every key in it has a sentence above it")
    func everySentence() throws {
        let text = try Self.exampleText()
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        for (key, line) in leaves(try #require(try Yams.compose(yaml: text)?.mapping)) {
            #expect(lines[line - 2].trimmingCharacters(in: .whitespaces).hasPrefix("# "), "\(key)")
        }
    }

    @Test("what it says are the defaults")
    func defaults() throws {
        #expect(try ServerConfiguration.load(Self.example.string) == ServerConfiguration.load(nil))
    }

    // MARK: What a server can do

    @Test("a server without any other system composes from repositories and from composes of Pungi")
    func least() throws {
        let configuration = try parse("")
        #expect(configuration.capabilities.sourceTypes == [.repo, .pungiCompose])
        #expect(configuration.missingSettings(for: .tag) == ["koji.hub"])
        #expect(configuration.missingSettings(for: .build) == ["koji.hub"])
        #expect(configuration.missingSettings(for: .pulp) == ["pulp.url"])
        #expect(configuration.missingSettings(for: .rawConfig) == ["raw_config.pungi_koji"])
        #expect(configuration.missingSettings(for: .module) == ["mbs.url", "koji.hub", "modules.repositories"])
    }

    // MARK: What may be written

    @Test("a file need have only the keys that it changes")
    func sparse() throws {
        var expected = try ServerConfiguration.load(nil)
        expected.worker.slots = 7
        expected.frontend.publicURL = "https://odcs.example.com"
        expected.composes.targets["private"] = .init(directory: "/srv/private", url: "https://private.example.com")
        let configuration = try parse(
            """
            worker: {slots: 7}
            frontend: {public_url: "https://odcs.example.com/"}
            composes: {targets: {private: {directory: /srv/private, url: "https://private.example.com"}}}
            """)
        #expect(configuration == expected)
    }

    @Test(
        "an empty file, one of comments, and sections without keys mean the defaults", arguments: ["", "# nothing\n", "worker:\n", "---\n"])
    func empty(text: String) throws {
        #expect(try parse(text) == ServerConfiguration.load(nil))
    }

    @Test("relative paths are relative to the directory of the file, and what lies in the state directory moves with it")
    func relativePaths() throws {
        let configuration = try parse(
            "{state_directory: state, sources: {allowed_roots: [repos, ../mirror, /srv]}, composes: {targets: {b: {}}}}")
        #expect(configuration.stateDirectory == "/etc/odcs/state")
        #expect(configuration.composes.targets["default"]?.directory == "/etc/odcs/state/composes")
        #expect(configuration.composes.targets["b"]?.directory == "/etc/odcs/state/composes-b")
        #expect(configuration.sources.cacheDirectory == "/etc/odcs/state/cache")
        #expect(configuration.sources.allowedRoots == ["/etc/odcs/repos", "/etc/mirror", "/srv"])
    }

    // MARK: Mistakes

    @Test(
        "a mistake is named with its line, its key and what would be right",
        arguments: [
            ("worker:\n  slots: many", "odcs.yaml:2: worker.slots: must be a whole number from 1 to 64, not many"),
            ("worker:\n  slots: 0", "odcs.yaml:2: worker.slots: must be a whole number from 1 to 64, not 0"),
            ("worker:\n  slots: 65", "odcs.yaml:2: worker.slots: must be a whole number from 1 to 64, not 65"),
            ("worker:\n  slots: 1.5", "odcs.yaml:2: worker.slots: must be a whole number from 1 to 64, not 1.5"),
            ("worker:\n  slots: [2]", "odcs.yaml:2: worker.slots: must be a whole number from 1 to 64, not a list"),
            ("worker:\n  slots: \"\"", "odcs.yaml:2: worker.slots: must be a whole number from 1 to 64, not empty"),
            (
                "worker:\n  slots: 99999999999999999999",
                "odcs.yaml:2: worker.slots: must be a whole number from 1 to 64, not 99999999999999999999"
            ),
            ("worker: 2", "odcs.yaml:1: worker: must be a mapping of keys, not 2"),
            ("worker: [slots]", "odcs.yaml:1: worker: must be a mapping of keys, not a list"),
            ("\n\nworker:\n  expire_seconds: 0", "odcs.yaml:4: worker.expire_seconds: must be a whole number from 1 to 3600, not 0"),
            ("composes:\n  gpgcheck: 1", "odcs.yaml:2: composes.gpgcheck: must be true or false, not 1"),
            ("composes:\n  compression: bzip2", "odcs.yaml:2: composes.compression: must be one of gzip, zstd, not bzip2"),
            ("composes:\n  arches: x86_64", "odcs.yaml:2: composes.arches: must be a list, not x86_64"),
            ("composes:\n  arches:\n    - x86_64\n    - {}", "odcs.yaml:4: composes.arches: must be a list of texts"),
            ("composes:\n  targets: [default]", "odcs.yaml:2: composes.targets: must be a mapping of names, not a list"),
            (
                "composes:\n  targets:\n    default: /srv",
                "odcs.yaml:3: composes.targets.default: must be a mapping of keys, not /srv"
            ),
            (
                "composes:\n  seconds_to_live: 10\n  max_seconds_to_live: 9",
                "odcs.yaml:2: composes.seconds_to_live: must not be more than composes.max_seconds_to_live, 9"
            ),
            (
                "koji:\n  hub: https://koji.example.com/kojihub\n  topdir: /mnt/koji\n  allow_reference: true",
                "odcs.yaml:4: koji.allow_reference: needs koji.topurl, where clients find the packages"
            ),
            (
                "koji:\n  unsigned_wait_seconds: 0",
                "odcs.yaml:2: koji.unsigned_wait_seconds: must be a whole number from 1 to 2592000, not 0"
            ),
            ("frontend:\n  port: 70000", "odcs.yaml:2: frontend.port: must be a whole number from 0 to 65535, not 70000"),
            ("frontend:\n  host: [a]", "odcs.yaml:2: frontend.host: must be a text"),
            (
                "log:\n  level: loud",
                "odcs.yaml:2: log.level: must be one of trace, debug, info, notice, warning, error, critical, not loud"
            ),
            ("- worker", "odcs.yaml:1: this is not a mapping of keys to values"),
            ("worker", "odcs.yaml:1: this is not a mapping of keys to values"),
        ])
    func mistakes(text: String, expected: String) throws {
        let error = #expect(throws: ConfigurationError.self) { try parse(text) }
        #expect(error?.description == expected)
    }

    @Test(
        "a key that there is not is named, with the one that was meant",
        arguments: [
            ("workers:\n  slots: 2", "odcs.yaml:1: workers: there is no such key; did you mean worker?"),
            ("worker:\n  slot: 2", "odcs.yaml:2: worker.slot: there is no such key; did you mean worker.slots?"),
            ("database:\n  conections: 2", "odcs.yaml:2: database.conections: there is no such key; did you mean database.connections?"),
            ("worker:\n  colour_of_the_sky: blue", "odcs.yaml:2: worker.colour_of_the_sky: there is no such key"),
            ("composes:\n  targets:\n    private: {path: /srv}", "odcs.yaml:3: composes.targets.private.path: there is no such key"),
            (
                "composes:\n  targets:\n    private: {directry: /srv}",
                "odcs.yaml:3: composes.targets.private.directry: there is no such key; did you mean composes.targets.private.directory?"
            ),
            ("slots: 2", "odcs.yaml:1: slots: there is no such key; did you mean worker.slots?"),
            ("state_dir: /srv", "odcs.yaml:1: state_dir: there is no such key"),
        ])
    func unknownKeys(text: String, expected: String) throws {
        let error = #expect(throws: ConfigurationError.self) { try parse(text) }
        #expect(error?.description == expected)
    }

    @Test("what is no YAML is said with its line", arguments: [("worker:\n  slots: [1", 2), ("worker:\n\tslots: 1", 2), ("a: b: c", 1)])
    func notYAML(text: String, line: Int) throws {
        let error = try #require(#expect(throws: ConfigurationError.self) { try parse(text) })
        #expect(error.message.hasPrefix("this is not YAML: "))
        #expect(error.line == line)
    }

    @Test("a key that is there twice is refused")
    func twice() throws {
        let error = #expect(throws: ConfigurationError.self) { try parse("worker:\n  slots: 1\n  slots: 2") }
        #expect(error?.description == "odcs.yaml:2: slots: this key is there twice in the mapping that begins here")
    }
}

import Foundation
import ServiceConfiguration
import SystemPackage
import Testing

@testable import odcs_server

/// Settings by variables of the environment, and the address of the database in a file.
@Suite struct EnvironmentConfigurationTests {
    private func parse(_ text: String = "", _ environment: [String: String]) throws -> ServerConfiguration {
        try ServerConfiguration(text, file: "odcs.yaml", directory: "/etc/odcs", environment: environment)
    }

    @Test("a variable takes precedence over its key in the file, and other keys of the section stay")
    func precedence() throws {
        let configuration = try parse(
            "database: {schema: here, connections: 5}\nworker:\n",
            [
                "ODCS_DATABASE__SCHEMA": "there", "ODCS_WORKER__SLOTS": "7", "ODCS_COMPOSES__GPGCHECK": "true",
                "ODCS_SOURCES__ALLOWED_ROOTS": "[/srv/a, /srv/b]", "ODCS_STATE_DIRECTORY": "/state",
                "ODCS_COMPOSES__TARGETS__PRIVATE__DIRECTORY": "/srv/private",
            ])
        #expect(configuration.database.schema == "there")
        #expect(configuration.database.connections == 5)
        #expect(configuration.worker.slots == 7)
        #expect(configuration.composes.gpgcheck)
        #expect(configuration.sources.allowedRoots == ["/srv/a", "/srv/b"])
        #expect(configuration.composes.targets["default"]?.directory == "/state/composes")
        #expect(configuration.composes.targets["private"]?.directory == "/srv/private")
    }

    @Test(
        "a text is taken as it is, whatever YAML would make of it",
        arguments: [
            "postgresql://odcs:pa#ss: *word@db/odcs", "null", "host=db password='x y' dbname=odcs", "# not a comment", "\"quoted\"", "12",
        ])
    func literal(text: String) throws {
        #expect(try parse("", ["ODCS_DATABASE__SCHEMA": text]).database.schema == text)
    }

    @Test("an address that libpq cannot read is a mistake, which does not quote it", arguments: ["postgres", "mysql://odcs:secret@db/x"])
    func wrongAddress(text: String) throws {
        let forms = "neither \"postgresql://user@host/database\" nor \"host=… dbname=…\""
        let inFile = #expect(throws: ConfigurationError.self) { try parse("database:\n  url: \(text)", [:]) }
        #expect(inFile?.description == "odcs.yaml:2: database.url: is \(forms)")
        let inVariable = #expect(throws: ConfigurationError.self) { try parse("", ["ODCS_DATABASE__URL": text]) }
        #expect(inVariable?.description == "ODCS_DATABASE__URL: database.url: is \(forms)")
        #expect(try parse("database: {url: host=db password='x y'}", [:]).database.url == "host=db password='x y'")
    }

    @Test("empty variables, and the variables of the client, change nothing")
    func others() throws {
        let configuration = try parse(
            "worker: {slots: 3}",
            [
                "ODCS_WORKER__SLOTS": "", "ODCS_SERVER": "http://localhost", "ODCS_TOKEN": "odcs_x",
                "ODCS_FRONTEND_PORT": "tcp://10.0.0.1:5005",
            ])
        #expect(try configuration == ServerConfiguration("worker: {slots: 3}", file: "f", directory: "/etc/odcs"))
    }

    @Test(
        "a mistake is named with the variable",
        arguments: [
            (
                ["ODCS_WORKER__SLOTS": "many"],
                "ODCS_WORKER__SLOTS: worker.slots: must be a whole number from 1 to 64, not many"
            ),
            (
                ["ODCS_WORKER__SLOT": "2"],
                "ODCS_WORKER__SLOT: worker.slot: there is no such key; did you mean worker.slots?"
            ),
            (["ODCS_COMPOSES__ARCHES": "x86_64"], "ODCS_COMPOSES__ARCHES: composes.arches: must be a list, not x86_64"),
            (
                ["ODCS_AUTH__WORKLOADS": "{ci: {isuer: x}}"],
                "ODCS_AUTH__WORKLOADS: auth.workloads.ci.issuer: "
            ),
            (["ODCS_COMPOSES__ARCHES": "[x86_64"], "ODCS_COMPOSES__ARCHES: begins like a list or a mapping of YAML, and is not YAML"),
            (["ODCS_KOJI__UNSIGNED_WAIT_SECONDS": "0"], "ODCS_KOJI__UNSIGNED_WAIT_SECONDS: koji.unsigned_wait_seconds: must be"),
        ])
    func mistakes(environment: [String: String], expected: String) throws {
        let error = #expect(throws: ConfigurationError.self) { try parse("", environment) }
        #expect(error?.description.hasPrefix(expected) == true, "\(String(describing: error))")
    }

    @Test("a mistake of the file is named with its line, even if a variable sets another key of the section")
    func fileMistake() throws {
        let error = #expect(throws: ConfigurationError.self) {
            try parse("worker:\n  attempts: many", ["ODCS_WORKER__SLOTS": "2"])
        }
        #expect(error?.description == "odcs.yaml:2: worker.attempts: must be a whole number from 1 to 100, not many")
        let section = #expect(throws: ConfigurationError.self) { try parse("worker: 2", ["ODCS_WORKER__SLOTS": "2"]) }
        #expect(section?.description == "odcs.yaml:1: worker: must be a mapping of keys, not 2")
    }

    @Test("the address of the database can be the first line of a file, which the file or a variable names")
    func addressInFile() throws {
        let file = FilePath(FileManager.default.temporaryDirectory.path).appending("odcs-url-\(UUID().uuidString.prefix(8))")
        try Data("postgresql://odcs:secret@db/odcs\n".utf8).write(to: URL(filePath: file.string))
        defer { unlink(file.string) }
        #expect(try parse("database: {url_file: \(file)}", [:]).database.url == "postgresql://odcs:secret@db/odcs")
        #expect(try parse("", ["ODCS_DATABASE__URL_FILE": file.string]).database.url == "postgresql://odcs:secret@db/odcs")

        let both = #expect(throws: ConfigurationError.self) {
            try parse("database: {url: host=db}", ["ODCS_DATABASE__URL_FILE": file.string])
        }
        #expect(both?.description == "ODCS_DATABASE__URL_FILE: database.url_file: cannot be set together with database.url")
        let missing = #expect(throws: ConfigurationError.self) { try parse("database:\n  url_file: nowhere", [:]) }
        #expect(missing?.description == "odcs.yaml:2: database.url_file: names a file that cannot be read, or is empty")
    }
}

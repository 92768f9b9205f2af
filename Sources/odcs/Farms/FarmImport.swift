import ArgumentParser
import ComposeClient
import ForeignText
import Foundation
import ImageModel
import SystemPackage
import TOMLKit

/// The command `odcs farm import`.
struct FarmImport: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import",
        abstract: "Add the nodes and farms of podman's connection file.",
        discussion: """
            podman keeps its connections in podman-connections.json, and older versions
            in containers.conf. Nodes and farms that the service has already stay as they
            are, and so does its default farm. Keys are not copied. Workers need a key of the same name.

            EXAMPLES
              odcs farm import
              odcs farm import /home/me/.config/containers/podman-connections.json
            """)

    @Argument(help: "The file. Default: podman's own.", completion: .file())
    var file: String?
    @OptionGroup(title: "SERVICE") var service: ConnectionOptions

    func run() async throws {
        let (client, console) = (try service.connect(), Console.current)
        let connections = try PodmanConnections(file, in: console)
        let farms = try await client.farms()
        let known = (nodes: Set(try await client.nodes().map(\.name)), farms: Set(farms.map(\.name)))
        let hasDefault = farms.contains(where: \.isDefault)
        var lines: [String] = []
        var added: [NodeDocument] = []
        var isComplete = true
        /// A connection or farm that the service refuses is one line, and the others go on.
        func unlessRefused(_ name: String, _ body: () async throws -> Void) async throws {
            do {
                try await body()
            } catch let error as ComposeClientError where [400, 409].contains(error.status) {
                lines.append("\(name): not added. \(error)")
                isComplete = false
            }
        }
        for connection in connections.connections {
            guard !known.nodes.contains(connection.name) else {
                lines.append("\(connection.name): it is there already")
                continue
            }
            var submission = NodeSubmission()
            submission.name = connection.name
            submission.connection = connection.address
            submission.identity = connection.identity
            try await unlessRefused(connection.name) {
                let node = try await client.addNode(submission)
                added.append(node)
                lines.append("\(node.name): added" + (connection.identity.map { ". Workers need the key \($0)." } ?? ""))
            }
        }
        for farm in connections.farms where !known.farms.contains(farm.name) {
            var submission = FarmSubmission()
            submission.name = farm.name
            submission.nodes = farm.nodes
            submission.isDefault = farm.name == connections.defaultFarm && !hasDefault ? true : nil
            try await unlessRefused("farm \(farm.name)") {
                _ = try await client.createFarm(submission)
                lines.append("farm \(farm.name): \(farm.nodes.joined(separator: ", "))")
            }
        }
        let text = lines.isEmpty ? "The file has no connections." : lines.joined(separator: "\n")
        try service.print(added, or: text.printable(keepingLines: true))
        guard isComplete else { throw CommandFailure(.composeFailed) }
    }
}

/// The connections and farms of podman.
struct PodmanConnections {
    struct Connection: Equatable {
        let name: String
        let address: String
        /// The name of the key's file, without its ending.
        let identity: String?
    }

    private(set) var connections: [Connection] = []
    private(set) var farms: [Farm] = []
    private(set) var defaultFarm: String?

    /// - Parameter file: The file, or nil for podman's own.
    init(_ file: String?, in console: Console) throws {
        let places = try file.map { [console.path($0)] } ?? Self.places(console.environment)
        guard let path = places.first(where: { FileManager.default.fileExists(atPath: $0.string) }) else {
            throw CommandFailure(
                .error, "there is no file of podman's connections; 'podman system connection add' makes one, or name one of another place")
        }
        let data: Data
        do {
            data = try Data(contentsOf: URL(filePath: path.string))
        } catch {
            throw CommandFailure(.error, "\(path.string.quoted) cannot be read: \(SettingsFile.reason(error))")
        }
        do {
            if path.extension == "json" {
                try read(JSONDecoder().decode(JSONForm.self, from: data))
            } else {
                try read(TOMLDecoder().decode(TOMLForm.self, from: String(decoding: data, as: UTF8.self)))
            }
        } catch {
            throw CommandFailure(.error, "\(path.string.quoted) is no file of podman's connections")
        }
    }

    private static func places(_ environment: [String: String]) -> [FilePath] {
        if let named = environment["PODMAN_CONNECTIONS_CONF"] { return [FilePath(named)] }
        let home = environment["XDG_CONFIG_HOME"].map { FilePath($0) } ?? environment["HOME"].map { FilePath($0).appending(".config") }
        guard let folder = home?.appending("containers") else { return [] }
        return [folder.appending("podman-connections.json"), folder.appending("containers.conf")]
    }

    private struct Destination: Decodable {
        let uri: String
        let identity: String?

        private enum Key: String, CodingKey { case uri, identity, upperURI = "URI", upperIdentity = "Identity" }

        init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: Key.self)
            uri = try container.decodeIfPresent(String.self, forKey: .upperURI) ?? container.decode(String.self, forKey: .uri)
            identity =
                try container.decodeIfPresent(String.self, forKey: .upperIdentity)
                ?? container.decodeIfPresent(String.self, forKey: .identity)
        }
    }

    /// The form of podman-connections.json.
    private struct JSONForm: Decodable {
        struct Connections: Decodable { let Connections: [String: Destination]? }
        struct Farms: Decodable {
            let Default: String?
            let List: [String: [String]]?
        }

        let Connection: Connections?
        let Farm: Farms?
    }

    /// The form of containers.conf.
    private struct TOMLForm: Decodable {
        struct Engine: Decodable { let service_destinations: [String: Destination]? }
        struct Farms: Decodable {
            let `default`: String?
            let list: [String: [String]]?
        }

        let engine: Engine?
        let farms: Farms?
    }

    private mutating func read(_ form: JSONForm) {
        take(form.Connection?.Connections ?? [:], form.Farm?.List ?? [:], form.Farm?.Default)
    }

    private mutating func read(_ form: TOMLForm) {
        take(form.engine?.service_destinations ?? [:], form.farms?.list ?? [:], form.farms?.default)
    }

    private mutating func take(_ destinations: [String: Destination], _ lists: [String: [String]], _ first: String?) {
        connections = destinations.sorted { $0.key < $1.key }.map { name, destination in
            let key = destination.identity.flatMap { $0.isEmpty ? nil : FilePath($0).stem }
            return Connection(name: name, address: destination.uri, identity: key)
        }
        farms = lists.sorted { $0.key < $1.key }.map { Farm(name: $0.key, nodes: $0.value) }
        defaultFarm = first.flatMap { $0.isEmpty ? nil : $0 }
    }
}

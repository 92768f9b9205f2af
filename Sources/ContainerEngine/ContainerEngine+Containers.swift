import AsyncHTTPClient
public import Foundation
import NIOCore
import NIOHTTP1

/// A container that an engine has, whether it runs or not.
public struct EngineContainer: Hashable, Sendable {
    public let id: String
    public let labels: [String: String]
    public let created: Date
}

extension ContainerEngine {
    /// Makes a container without a network, and starts it.
    ///
    /// - Parameters:
    ///   - image: The image, which must be there.
    ///   - name: The name of the container, which no other container may have.
    /// - Returns: The number of its first process, as the host of the engine counts.
    public func run(
        image: String, _ command: [String], named name: String, labels: [String: String]
    ) async throws(EngineFailure) -> Int {
        var request = HTTPClientRequest(url: url("containers/create", [("name", name)]))
        request.method = .POST
        request.headers.add(name: "Content-Type", value: "application/json")
        let settings = ContainerSettings(Image: image, Cmd: command, Labels: labels)
        // Texts can always be encoded.
        request.body = .bytes((try? JSONEncoder().encode(settings)).map { Array($0) } ?? [])
        let made = try await answer(request, within: .seconds(60))
        guard made.status == 201 else { throw refusal(made.status, made.body) }
        var start = HTTPClientRequest(url: url("containers/\(name)/start"))
        start.method = .POST
        let started = try await answer(start, within: .seconds(60))
        guard started.status == 204 else { throw refusal(started.status, started.body) }
        let seen = try await answer(HTTPClientRequest(url: url("containers/\(name)/json")), within: .seconds(60))
        guard seen.status == 200, let process = (try? JSONDecoder().decode(ContainerInspection.self, from: Data(seen.body)))?.State.Pid,
            process > 1
        else { throw refusal(seen.status, seen.body) }
        return process
    }

    /// Returns the containers that have a label, with any value.
    public func containers(with label: String) async throws(EngineFailure) -> [EngineContainer] {
        let filters = "{\"label\":[\"\(label)\"]}"
        let (status, body) = try await answer(
            HTTPClientRequest(url: url("containers/json", [("all", "1"), ("filters", filters)])), within: .seconds(60))
        guard status == 200, let found = try? JSONDecoder().decode([ListedContainer].self, from: Data(body)) else {
            throw refusal(status, body)
        }
        return found.map { container in
            EngineContainer(
                id: container.Id, labels: container.Labels ?? [:],
                created: Date(timeIntervalSince1970: Double(container.Created ?? 0)))
        }
    }

    /// Kills and removes a container. It is no error if it does not exist.
    ///
    /// - Parameters:
    ///   - name: Its name or its id.
    ///   - limit: The time for each of the two requests.
    public func removeContainer(_ name: String, within limit: Duration = .seconds(60)) async throws(EngineFailure) {
        // podman would ask it to end first, and wait for ten seconds.
        var kill = HTTPClientRequest(url: url("containers/\(name)/kill", [("signal", "KILL")]))
        kill.method = .POST
        // One that does not run cannot be killed.
        _ = try await answer(kill, within: .init(limit))
        var request = HTTPClientRequest(url: url("containers/\(name)", [("force", "1"), ("v", "1")]))
        request.method = .DELETE
        let (status, body) = try await answer(request, within: .init(limit))
        guard [200, 204, 404].contains(status) else { throw refusal(status, body) }
    }

    /// The settings of a container that needs nothing.
    private struct ContainerSettings: Encodable {
        struct Host: Encodable {
            let NetworkMode = "none"
            let ReadonlyRootfs = true
            let CapDrop = ["ALL"]
            /// An engine that has few rights itself cannot set its usual limits.
            let Ulimits = [Limit(Name: "nofile"), Limit(Name: "nproc")]
        }

        struct Limit: Encodable {
            let Name: String
            let Soft = 64
            let Hard = 64
        }

        let Image: String
        let Cmd: [String]
        let Labels: [String: String]
        let HostConfig = Host()
    }

    private struct ContainerInspection: Decodable {
        struct State: Decodable { let Pid: Int? }

        let State: State
    }

    private struct ListedContainer: Decodable {
        let Id: String
        let Labels: [String: String]?
        let Created: Int?
    }
}

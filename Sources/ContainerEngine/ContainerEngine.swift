public import AsyncHTTPClient
import ForeignText
import Foundation
public import ImageModel
public import NIOCore
import NIOHTTP1
import NIOPosix
public import SystemPackage

/// A container engine on this host that speaks the Docker Engine API: docker, or podman's service.
///
/// Only loading images is supported.
public struct ContainerEngine: Sendable {
    private static let longestAnswer = 4 << 20

    private let client: HTTPClient
    private let socket: FilePath

    /// - Parameter socket: The engine's Unix socket. Example: `/run/podman/podman.sock`.
    public init(socket: FilePath, client: HTTPClient = .shared) {
        self.socket = socket
        self.client = client
    }

    /// Returns the names that the engine has for an image, or `nil` if it does not have the image.
    ///
    /// - Parameter id: The digest of the image's configuration.
    public func names(of id: ImageDigest) async throws(EngineFailure) -> [String]? {
        let (status, body) = try await answer(HTTPClientRequest(url: address("images/\(id)/json")))
        if status == 404 { return nil }
        guard status == 200, let image = try? JSONDecoder().decode(ImageDescription.self, from: Data(body)) else {
            throw refusal(status, body)
        }
        return image.RepoTags ?? []
    }

    /// Loads a docker-archive.
    ///
    /// - Parameter content: The bytes of the archive, plain or in a compression that the engine knows.
    public func load(_ content: some AsyncSequence<ByteBuffer, any Error> & Sendable) async throws(EngineFailure) {
        var request = HTTPClientRequest(url: address("images/load?quiet=1"))
        request.method = .POST
        request.headers.add(name: "Content-Type", value: "application/x-tar")
        request.body = .stream(content, length: .unknown)
        let (status, body) = try await answer(request)
        // The status says nothing about errors that occur later.
        guard status == 200, Self.error(in: body) == nil else { throw refusal(status, body) }
    }

    private func address(_ path: String) -> String {
        let encoded = socket.string.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? ""
        return "http+unix://\(encoded)/v1.41/\(path)"
    }

    private func answer(_ request: HTTPClientRequest) async throws(EngineFailure) -> (status: UInt, body: [UInt8]) {
        var request = request
        // The name would be the path of the socket, which servers in Go refuse.
        request.headers.replaceOrAdd(name: "Host", value: "localhost")
        do {
            let response = try await client.execute(request, timeout: .hours(6))
            let body = try await response.body.collect(upTo: Self.longestAnswer)
            return (response.status.code, Array(body.readableBytesView))
        } catch is CancellationError {
            throw EngineFailure(.canceled, "The request to the container engine was canceled.")
        } catch {
            throw EngineFailure(
                .unreachable,
                "The container engine at \(socket.string.printable()) does not answer. Is its service running, and may you use its socket?")
        }
    }

    private func refusal(_ status: UInt, _ body: [UInt8]) -> EngineFailure {
        let reason = (Self.error(in: body) ?? "status \(status)").printable(most: 500)
        return EngineFailure(.refused, "The container engine refused the request: \(reason).")
    }

    /// Returns the error in an answer, which is one JSON document or one on each line.
    private static func error(in body: [UInt8]) -> String? {
        for line in body.split(separator: UInt8(ascii: "\n")) {
            if let answer = try? JSONDecoder().decode(ErrorDescription.self, from: Data(line)), let text = answer.error ?? answer.message {
                return text
            }
        }
        return nil
    }

    private struct ImageDescription: Decodable {
        let RepoTags: [String]?
    }

    private struct ErrorDescription: Decodable {
        let error: String?
        let message: String?
    }
}

/// The reason why a container engine did not do what it was asked to.
public struct EngineFailure: Error, Hashable, Sendable, CustomStringConvertible {
    public enum Code: String, Hashable, Sendable, CaseIterable {
        case unreachable, refused, canceled
    }

    public let code: Code
    public let description: String

    init(_ code: Code, _ description: String) {
        self.code = code
        self.description = description
    }
}

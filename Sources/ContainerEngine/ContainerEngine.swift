public import AsyncHTTPClient
import ForeignText
import Foundation
import Glibc
public import ImageModel
public import NIOCore
import NIOHTTP1
import NIOPosix
public import SystemPackage

/// A container engine that speaks the Docker Engine API: docker, or podman's service.
public struct ContainerEngine: Sendable {
    private static let longestAnswer = 4 << 20

    let client: HTTPClient
    let address: EngineAddress

    /// - Parameter socket: The engine's Unix socket. Example: `/run/podman/podman.sock`.
    public init(socket: FilePath, client: HTTPClient = .shared) {
        self.init(.socket(socket), client: client)
    }

    public init(_ address: EngineAddress, client: HTTPClient = .shared) {
        self.address = address
        self.client = client
    }

    /// Returns the names that the engine has for an image, or `nil` if it does not have the image.
    ///
    /// - Parameter id: The digest of the image's configuration.
    public func names(of id: ImageDigest) async throws(EngineFailure) -> [String]? {
        let (status, body) = try await answer(HTTPClientRequest(url: url("images/\(id)/json")))
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
        var request = HTTPClientRequest(url: url("images/load?quiet=1"))
        request.method = .POST
        request.headers.add(name: "Content-Type", value: "application/x-tar")
        request.body = .stream(content, length: .unknown)
        let (status, body) = try await answer(request)
        // The status says nothing about errors that occur later.
        guard status == 200, Self.error(in: body) == nil else { throw refusal(status, body) }
    }

    /// Returns the URL of a path, with a query.
    func url(_ path: String, _ query: [(String, String?)] = []) -> String {
        let items = query.compactMap { name, value in
            value.map { "\(name)=\($0.addingPercentEncoding(withAllowedCharacters: Self.plain) ?? "")" }
        }
        return address.url + path + (items.isEmpty ? "" : "?\(items.joined(separator: "&"))")
    }

    private static let plain = CharacterSet(charactersIn: "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")

    /// Sends a request, and returns the answer without its body.
    func response(to request: HTTPClientRequest, within limit: TimeAmount = .hours(24)) async throws(EngineFailure) -> HTTPClientResponse {
        var request = request
        // The name would be the path of the socket, which servers in Go refuse.
        if case .socket = address { request.headers.replaceOrAdd(name: "Host", value: "localhost") }
        do {
            return try await client.execute(request, timeout: limit)
        } catch {
            throw failure(of: error)
        }
    }

    /// A whole answer.
    struct Answer: Sendable {
        let status: UInt
        let headers: HTTPHeaders
        let body: [UInt8]
    }

    func answer(_ request: HTTPClientRequest, within limit: TimeAmount = .hours(6)) async throws(EngineFailure) -> (
        status: UInt, body: [UInt8]
    ) {
        let answer = try await wholeAnswer(to: request, within: limit)
        return (answer.status, answer.body)
    }

    /// Sends a request, and returns the whole answer.
    ///
    /// - Parameter limit: The time until the end of the answer. The limit of the client ends with its head.
    func wholeAnswer(to request: HTTPClientRequest, within limit: TimeAmount) async throws(EngineFailure) -> Answer {
        do {
            return try await withThrowingTaskGroup(of: Answer.self) { group in
                group.addTask {
                    let response = try await response(to: request, within: limit)
                    let body = try await response.body.collect(upTo: Self.longestAnswer)
                    return Answer(status: response.status.code, headers: response.headers, body: Array(body.readableBytesView))
                }
                group.addTask {
                    // This task is the clock of the other one.
                    try await Task.sleep(for: .nanoseconds(limit.nanoseconds))
                    throw HTTPClientError.deadlineExceeded
                }
                defer { group.cancelAll() }
                guard let first = try await group.next() else { throw CancellationError() }
                return first
            }
        } catch let failure as EngineFailure {
            throw failure
        } catch {
            throw failure(of: error)
        }
    }

    /// Returns the failure that an error of the transport stands for.
    func failure(of error: any Error) -> EngineFailure {
        if error is CancellationError || (error as? HTTPClientError) == .cancelled {
            return EngineFailure(.canceled, "The request to the container engine was canceled.")
        }
        if error is NIOTooManyBytesError {
            return EngineFailure(.badAnswer, "The answer of the container engine has more than \(Self.longestAnswer) bytes.")
        }
        return EngineFailure(
            .unreachable, reason: Self.reason(of: error),
            "The container engine at \(address.description.printable()) does not answer. Is its service running, and may you use its socket?"
        )
    }

    /// Returns why there is no connection, if the error of the transport says so.
    private static func reason(of error: any Error) -> String? {
        switch error {
        case let error as IOError: return String(cString: strerror(error.errnoCode)).lowercased()
        case let error as NIOConnectionError:
            guard let last = error.connectionErrors.last else { return "its name is not known" }
            return reason(of: last.error)
        case let error as HTTPClientError where [.connectTimeout, .deadlineExceeded].contains(error): return "it does not answer in time"
        case ChannelError.connectTimeout: return "it does not answer in time"
        default:
            let text = String(reflecting: error)
            if text.contains("CERTIFICATE_VERIFY_FAILED") || text.contains("unableToValidateCertificate") {
                return "the worker does not trust its certificate"
            }
            return text.contains("handshakeFailed") || text.contains("_ALERT_") ? "it refuses the certificate of the worker" : nil
        }
    }

    func refusal(_ status: UInt, _ body: [UInt8]) -> EngineFailure {
        guard let error = Self.error(in: body) else {
            return EngineFailure(.badAnswer, "The answer of the container engine, with the status \(status), cannot be read.")
        }
        return EngineFailure(.refused, "The container engine refused the request: \(error.printable(most: 500)).")
    }

    /// Returns the error in an answer, which is one JSON document or one on each line.
    static func error(in body: [UInt8]) -> String? {
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
        /// No engine gives such an answer.
        case badAnswer = "bad-answer"
        /// An instruction failed, or a push. The description is the text of the engine.
        case buildFailed = "build-failed"
        case pushFailed = "push-failed"
    }

    public let code: Code
    /// Why there is no connection, in a few words, if it is known. Example: `connection refused`.
    public let reason: String?
    public let description: String

    public init(_ code: Code, reason: String? = nil, _ description: String) {
        self.code = code
        self.reason = reason
        self.description = description
    }
}

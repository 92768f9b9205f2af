import ForeignText
import Foundation
import HTTPTypes
import Hummingbird
import ImageModel

/// The artifact fields are the texts of a request of the artifact API. They are in its query and in
/// its body. The body is a form (`multipart/form-data` or `application/x-www-form-urlencoded`) or a
/// JSON object. It counts if both have a field.
struct ArtifactFields: Sendable {
    private static let claims = ["linux_username", "github_username"]

    private var values: [String: String] = [:]

    /// Reads the fields of the query.
    init(query request: Request) throws(RequestRejection) {
        for (key, value) in try QueryItems(request.uri.query).items { values[key] = value }
    }

    /// Reads the fields of the query and the body.
    ///
    /// - Parameter limit: The most bytes of the body.
    init(_ request: Request, limit: Int) async throws {
        try self.init(query: request)
        if let length = request.headers[.contentLength].flatMap(Int.init), length > limit {
            throw RequestRejection.bodyTooLarge(limit: limit)
        }
        let body = try await request.body.collect(upTo: limit).readableBytesView
        guard !body.isEmpty else { return }
        let type = request.headers[.contentType]
        if var reader = try MultipartReader(contentType: type) {
            var parts = Parts()
            for event in try reader.read(body) {
                if let (name, bytes) = parts.take(event) { try set(name, bytes) }
            }
            try reader.finish()
        } else if type?.lowercased().hasPrefix("application/x-www-form-urlencoded") ?? false, body.first != UInt8(ascii: "{") {
            for (key, value) in try QueryItems(String(decoding: body, as: UTF8.self)).items { values[key] = value }
        } else {
            let root = try BodyField(root: try JSONValue(parsing: Data(body)))
            guard case .object(let members) = root.value else { return }
            for key in members.keys.sorted() { values[key] = try root.string(key) }
        }
    }

    /// Sets the field of a part of a form.
    mutating func set(_ name: String, _ bytes: [UInt8]) throws(RequestRejection) {
        guard let text = String(validating: bytes, as: UTF8.self), !text.utf8.contains(0), text.isStreamSafe else {
            throw .badRequest("\(name.printable(most: 40)) is not text in UTF-8.")
        }
        values[name] = text
    }

    /// The parts of a form as they arrive.
    struct Parts {
        private var name = ""
        private var bytes: [UInt8] = []

        /// Returns the name and the content of a part that is complete.
        mutating func take(_ event: FormEvent) -> (name: String, bytes: [UInt8])? {
            switch event {
            case .part(let name): (self.name, bytes) = (name, [])
            case .content(let more): bytes += more
            case .endOfPart: return (name, bytes)
            }
            return nil
        }
    }

    subscript(_ key: String) -> String? { values[key].flatMap { $0.isEmpty ? nil : $0 } }

    /// Returns a field that must be there.
    func text(_ key: String) throws(RequestRejection) -> String {
        guard let text = self[key] else {
            throw .badRequest("\(key) is missing. It must be a field of the query, of a form, or of a JSON object.")
        }
        return text
    }

    /// Returns the artifact that a request is about.
    func artifact(_ kind: Artifact.Kind) throws(RequestRejection) -> Artifact {
        let version = kind == .image ? "branch" : "tag"
        do throws(ImageProblem) {
            return try Artifact(
                kind, component: try required("component"), version: try required(version), environment: try required("architecture"))
        } catch {
            throw .badRequest(error.description)
        }
    }

    private func required(_ key: String) throws(ImageProblem) -> String {
        guard let text = self[key] else { throw ImageProblem(.badReference, "\(key) is missing.") }
        return text
    }

    /// Returns the names that the headers of a request claim. They prove nothing.
    static func claims(in headers: HTTPFields) -> [String: String] {
        var found: [String: String] = [:]
        for name in claims {
            for spelling in [name, name.replacing("_", with: "-")] {
                guard let field = HTTPField.Name(spelling), let text = headers[field] else { continue }
                found[name] = text.printable(most: 100)
            }
        }
        return found
    }
}

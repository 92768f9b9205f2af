import Components
import ComposeModel
import Containerfiles
import Foundation
import ImageArchive
import ImageModel
import Koji
import Modules
import Repodata
import SystemPackage

@testable import ComposeFrontend
@testable import ContentSources

/// The parsers of inputs of strangers, by the names that `scripts/fuzz` uses.
enum Parsers {
    typealias Parser = @Sendable ([UInt8]) async throws -> Void

    static let all: [String: Parser] = [
        "component": { _ = try ComponentInstructions(text($0), file: "component.yaml") },
        "containerfile": { bytes in
            for dialect in [Containerfile.Dialect.classic, .hereDocuments] {
                let file = try Containerfile(text(bytes), dialect: dialect)
                _ = ContainerfileRules().problems(in: file, arguments: BuildArguments(["VERSION": "1"]))
            }
        },
        "context": { bytes in
            let reader = BuildContextReader(containerfileNames: ["Containerfile"], mostBytes: 1 << 20, limits: contextLimits)
            try pieces(bytes) { try reader.read($0) }
            _ = try reader.finish()
        },
        "filelists": { try await RepositoryFuzzing.shared.read(filelists: $0) },
        "form": { bytes in
            guard var reader = try MultipartReader(contentType: "multipart/form-data; boundary=XX") else { return }
            for start in stride(from: 0, to: bytes.count, by: size(of: bytes)) {
                _ = try reader.read(bytes[start..<min(bytes.count, start + size(of: bytes))])
            }
            try reader.finish()
        },
        "koji": { _ = try XMLRPCValue(parsing: $0, piece: size(of: $0)) },
        "layer": { try LayerFuzzing.read($0) },
        "lock": { bytes in
            let lock = try LockedSubmission(JSONValue(parsing: Data(bytes)))
            _ = try validator.request(ComposeRequestBody(lock.submission))
        },
        "manifest": { bytes in
            try any(bytes, [{ _ = try ManifestDocument($0) }, { _ = try ImageConfiguration($0) }])
        },
        "modules": { _ = ModuleMetadata(soundDocumentsOf: text($0)) },
        "primary": { try await RepositoryFuzzing.shared.read(primary: $0) },
        "query": { bytes in
            try any(
                bytes,
                [
                    { _ = try ListQuery(text($0), perPage: (10, 100)) }, { _ = try EventQuery(text($0), lastEventID: nil) },
                    { _ = try EventQuery(nil, lastEventID: text($0)) },
                ])
        },
        "repomd": { _ = try Repomd(parsing: $0) },
        "request": { bytes in
            let json = try JSONValue(parsing: Data(bytes))
            _ = try validator.request(ComposeRequestBody(json))
        },
        "rpm": { bytes in
            try any(bytes, [{ _ = try RPMHeaderContent(reading: $0, named: "package.rpm") }, RPMFuzzing.readFile])
        },
        "rpms": { bytes in
            let decoder = JSONDecoder()
            decoder.userInfo[RPMListDocument.Wanted.key] = RPMListDocument.Wanted(variant: "Everything", arches: ["x86_64"])
            _ = try ForeignJSON.decode(RPMListDocument.self, from: bytes, by: decoder)
        },
        "statement": { bytes in
            try any(
                bytes, [{ _ = try SignedEnvelope($0) }, { _ = try ProvenanceStatement($0) }, { _ = try SoftwareBill($0) }])
        },
    ]

    private static let contextLimits: BuildContextReader.Limits = {
        var limits = BuildContextReader.Limits()
        limits.plainBytes = 64 << 20
        return limits
    }()

    private static let validator = FrontendConfiguration(
        targets: [:],
        admission: Admission(capabilities: ServerCapabilities(hasKoji: true, hasModuleRepositories: true), places: Everywhere()),
        version: "1"
    ).validator

    /// Places of sources are no parser's business.
    private struct Everywhere: SourcePlaces {
        func authorize(_ locations: [String]) {}
        func check(_ words: [String], of type: SourceType) {}
    }

    /// Gives an input to several parsers. Throws if all of them refuse it.
    private static func any(_ bytes: [UInt8], _ parsers: [([UInt8]) throws -> Void]) throws {
        let results = parsers.map { parser in Result { try parser(bytes) } }
        for result in results {
            if case .success = result { return }
        }
        try results[0].get()
    }

    static func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

    /// Returns the size of the pieces in which an input is pushed. It differs between inputs.
    static func size(of bytes: [UInt8]) -> Int { 1 + bytes.count % 509 }

    /// Pushes an input in pieces.
    static func pieces(_ bytes: [UInt8], _ body: (UnsafeRawBufferPointer) throws -> Void) throws {
        try bytes.withUnsafeBytes { all in
            for start in stride(from: 0, to: all.count, by: size(of: bytes)) {
                try body(UnsafeRawBufferPointer(rebasing: all[start..<min(all.count, start + size(of: bytes))]))
            }
        }
    }
}

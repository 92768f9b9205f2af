import ComposeModel
import Foundation
import SystemPackage
import Testing

/// A compose at its end: what the service says of it, and what is on disk.
struct FinishedCompose: Sendable {
    let document: ComposeDocument
    let layout: ComposeLayout
    /// Where its files are: `odcs-N` in the directory of composes.
    let directory: FilePath

    init(document: ComposeDocument, in composes: FilePath) {
        self.document = document
        layout = ComposeLayout(id: document.id)
        directory = composes.appending(layout.directory)
    }

    var state: String { document.stateName }
    /// `state_reason`, line by line.
    var reason: [String] { document.stateReason.map { $0.split(separator: "\n").map(String.init) } ?? [] }

    /// A repository of the compose on disk: `x86_64/os`.
    func repository(_ tree: String) -> FilePath { directory.appending(ComposeLayout.repositories).appending(tree) }

    /// A repository of the compose as clients reach it.
    func url(_ tree: String) -> String { "\(document.resultRepo)/\(tree)" }

    /// The packages whose files are in a repository, as `ed-1.20-3.x86_64`, sorted. None where the repository is not there.
    func packages(_ tree: String = "x86_64/os") throws -> [String] {
        try Self.files(below: repository(tree)).filter { $0.hasSuffix(".rpm") }.map { String(FilePath($0).lastComponent!.stem) }.sorted()
    }

    /// Every file below the compose's directory, sorted, by its path in there.
    func files() throws -> [String] { try Self.files(below: directory) }

    func text(_ path: String) throws -> String { try String(contentsOfFile: directory.appending(path).string, encoding: .utf8) }

    func data(_ path: String) throws -> Data { try Data(contentsOf: URL(filePath: directory.appending(path).string)) }

    static func files(below directory: FilePath) throws -> [String] {
        guard let found = FileManager.default.enumerator(atPath: directory.string) else { return [] }
        var files: [String] = []
        while let path = found.nextObject() as? String {
            if found.fileAttributes?[.type] as? FileAttributeType != .typeDirectory { files.append(path) }
        }
        return files.sorted()
    }
}

extension SuiteTrait where Self == SharedService.Trait {
    /// Starts a service for the suite, configured as it is without a configuration.
    static var sharedService: Self { .sharedService("") }
}

extension SharedService {
    /// Composes packages of tests-repo with the suite's service, anew even where an equal compose exists.
    static func compose(_ arguments: String...) async throws -> FinishedCompose {
        try await current.compose(from: Checkout.testsRepo.string, arguments)
    }

    /// Composes packages of one repository, or of several that are separated by spaces.
    func compose(from source: String, _ arguments: [String]) async throws -> FinishedCompose {
        FinishedCompose(document: try await server.compose(["repo", source, "--no-reuse"] + arguments), in: service.composes)
    }
}

import ArgumentParser
import ComposeClient
import ForeignText
import Foundation
import ImageModel
import Processes
import SystemPackage

/// The place on this host where a manifest list and its images are saved: `oci:FOLDER`, `dir:FOLDER` or
/// `containers-storage:`.
struct ImageDestination: ExpressibleByArgument, Hashable {
    enum Kind: String { case oci, dir, storage = "containers-storage" }

    let kind: Kind
    let path: String

    init?(argument: String) {
        let parts = argument.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, let kind = Kind(rawValue: String(parts[0])), parts[1].isEmpty == (kind == .storage) else { return nil }
        self.kind = kind
        path = String(parts[1])
    }

    /// Saves the images of a build that is done.
    func save(
        _ build: BuildDocument, _ names: [(repository: String, tag: String)], in console: Console, _ service: ConnectionOptions
    ) async throws {
        guard let digest = build.digest else { return }
        switch kind {
        case .oci, .dir:
            let folder = ImageFolder(console.path(path), form: kind == .oci ? .oci : .dir)
            try await folder.save(ImageReference(build.repository).repository, digest, tag: names[0].tag, in: console)
        case .storage:
            for name in names { try await LocalList(name: "\(build.repository):\(name.tag)").make(of: build, in: console) }
        }
    }
}

/// A manifest list in the storage of podman on this host, as `podman build --manifest` makes it.
private struct LocalList {
    let name: String

    func make(of build: BuildDocument, in console: Console) async throws {
        // A list of an earlier build has the same name.
        _ = try await run(["manifest", "rm", name], in: console, mayFail: true)
        _ = try await run(["manifest", "create", name], in: console)
        for digest in build.steps.compactMap({ $0.platform == nil ? nil : $0.digest }) {
            _ = try await run(["manifest", "add", name, "docker://\(build.repository)@\(digest)"], in: console)
        }
    }

    private func run(_ arguments: [String], in console: Console, mayFail: Bool = false) async throws -> ChildProcess.Ending {
        let output = OutputTail()
        let process = ChildProcess(
            program: "podman", arguments: arguments, environment: console.environment, directory: FilePath(console.directory))
        let ending: ChildProcess.Ending
        do {
            ending = try await process.run { output.append($0) }
        } catch is ChildProcess.CannotStart {
            throw CommandFailure(.error, "--to containers-storage: needs podman on this host")
        }
        output.finish()
        guard mayFail || ending == .exited(0) else {
            throw CommandFailure(
                .error, "podman \(arguments[0]) \(arguments[1]) \(ending.inWords): \(output.lastLines(3).joined(separator: " "))")
        }
        return ending
    }
}

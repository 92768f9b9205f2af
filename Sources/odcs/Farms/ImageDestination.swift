import ArgumentParser
import ComposeClient
import ForeignText
import Foundation
import ImageModel
import Processes
import SystemPackage

/// The place on this host where a manifest list and its images are saved: `oci:FOLDER`, `dir:FOLDER`,
/// `containers-storage:` or `none`.
struct ImageDestination: ExpressibleByArgument, Hashable {
    enum Kind: String { case oci, dir, storage = "containers-storage", none }

    let kind: Kind
    let path: String

    init?(argument: String) {
        if argument == Kind.none.rawValue {
            (kind, path) = (.none, "")
            return
        }
        let parts = argument.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, let kind = Kind(rawValue: String(parts[0])), kind != .none, parts[1].isEmpty == (kind == .storage) else {
            return nil
        }
        self.kind = kind
        path = String(parts[1])
    }

    /// Saves the images of a build that is done.
    func save(_ build: BuildDocument, _ names: [(repository: String, tag: String)], in console: Console) async throws {
        guard let digest = build.digest else { return }
        switch kind {
        case .oci, .dir:
            let folder = ImageFolder(console.path(path), form: kind == .oci ? .oci : .dir)
            try await folder.save(ImageReference(build.repository).repository, digest, tag: names[0].tag, in: console)
        case .storage:
            do {
                let lists = try LocalLists(build, in: console)
                try await lists.pull()
                for name in names { try await lists.make(tag: name.tag) }
            } catch let problem as LocalLists.NoPodman {
                throw CommandFailure(.error, "--to containers-storage: \(problem)")
            }
        case .none: break
        }
    }

    /// Makes the manifest list in the storage of podman too, if podman is there. So the next command of a
    /// script can be `podman manifest push --all`. Its images stay in the registry. A failure is only
    /// reported, because the image is built.
    static func list(_ build: BuildDocument, _ names: [(repository: String, tag: String)], in console: Console) async throws {
        do {
            let lists = try LocalLists(build, in: console)
            for name in names { try await lists.make(tag: name.tag) }
        } catch is LocalLists.NoPodman {
            return
        } catch let failure as CommandFailure {
            try console.err.line("odcs: podman has no list of the image: \(failure.message ?? "it failed")".printable())
        }
    }
}

/// The manifest lists of a build in the storage of podman on this host, as `podman build --manifest`
/// makes them.
private struct LocalLists {
    /// An error: podman is not installed.
    struct NoPodman: Error, CustomStringConvertible { let description = "needs podman on this host" }

    private let repository: ImageRepository
    private let digests: [ImageDigest]
    /// The options for a registry without TLS.
    private let options: [String]
    private let console: Console

    init(_ build: BuildDocument, in console: Console) throws {
        repository = try ImageReference(build.repository).repository
        digests = build.steps.compactMap { $0.platform == nil ? nil : $0.digest }
        let settings = try RegistrySettings.current(in: console, isLoopbackInsecure: true)
        options = repository.host.isLoopback || settings.insecure.contains(repository.host) ? ["--tls-verify=false"] : []
        self.console = console
    }

    /// Brings the images into the storage.
    func pull() async throws {
        for digest in digests { _ = try await run(["pull", "--quiet"] + options + ["docker://\(repository)@\(digest)"]) }
    }

    func make(tag: String) async throws {
        let name = "\(repository):\(tag)"
        // A list of an earlier build has the same name.
        _ = try await run(["manifest", "rm", name], mayFail: true)
        _ = try await run(["manifest", "create", name])
        for digest in digests { _ = try await run(["manifest", "add"] + options + [name, "docker://\(repository)@\(digest)"]) }
    }

    private func run(_ arguments: [String], mayFail: Bool = false) async throws -> ChildProcess.Ending {
        let output = OutputTail()
        let process = ChildProcess(
            program: "podman", arguments: arguments, environment: console.environment, directory: FilePath(console.directory))
        let ending: ChildProcess.Ending
        do {
            ending = try await process.run { output.append($0) }
        } catch is ChildProcess.CannotStart {
            throw NoPodman()
        }
        output.finish()
        guard mayFail || ending == .exited(0) else {
            throw CommandFailure(
                .error,
                "podman \(arguments.prefix(2).joined(separator: " ")) \(ending.inWords): \(output.lastLines(3).joined(separator: " "))")
        }
        return ending
    }
}

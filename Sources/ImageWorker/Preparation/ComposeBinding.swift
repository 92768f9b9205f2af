import ComposeModel
import ComposeStore
import ComposeWorker
import Containerfiles
import Foundation
import ImageModel
import SystemPackage

/// A *compose binding* shows the packages of composes to each RUN of a build. Nothing of it stays in a
/// layer.
///
/// Each compose is a build context of its own, for example `odcs-12`, which is mounted at
/// `/run/odcs-12`. Without network, the folder `/etc/yum.repos.d` shows only the `.repo` files of the
/// composes, because dnf fails if it cannot reach a repository. With network, the `.repo` files are
/// mounted beside those of the image.
///
/// A mount of RUN must not take the place of a folder of the image: buildah 1.28 removes the target of
/// such a mount from the image, with all its files. So a folder is a volume. A node without volumes
/// gets a mount whose target is a link of another mount. The program that starts containers follows the
/// link, and buildah finds nothing to remove, because the link is gone with its mount.
struct ComposeBinding {
    /// The directories that `--mount=from=NAME` refers to.
    private(set) var contexts: [String: FilePath] = [:]
    private(set) var mounts: [RunMount] = []
    /// The directories that take the place of folders of the image, on a node with volumes.
    private(set) var volumes: [String: FilePath] = [:]
    /// The paths at which an image cannot have mounts of its own.
    private(set) var reservedTargets = ["/run/odcs"]

    /// The composes whose packages are shown, for the provenance.
    private(set) var composes: [StepOrigin.Compose] = []

    private static let repoContext = "odcs"
    private static let repoFolder = "/etc/yum.repos.d"
    /// The link in the directory of the `.repo` files.
    private static let repoLink = "yum.repos.d"

    /// - Parameters:
    ///   - hasVolumes: Whether the node has them.
    ///   - directory: A directory for the `.repo` files, which does not exist yet.
    init(
        _ ids: [Int], network: BuildNetwork, hasVolumes: Bool, configuration: ImageBuildConfiguration, store: ComposeStore,
        directory: FilePath
    ) async throws {
        try FileManager.default.createDirectory(atPath: directory.string, withIntermediateDirectories: true)
        // COPY --from=odcs is an error of its own if there are no composes.
        contexts[Self.repoContext] = directory
        guard !ids.isEmpty else { return }
        for id in ids {
            guard let compose = try await store.compose(id) else {
                throw BuildFailure(.composeNotUsable, "There is no compose \(id) any more.")
            }
            // Two composes can show one result.
            let layout = ComposeLayout(id: compose.resultOf)
            composes.append(StepOrigin.Compose(id: id, lock: try Self.lock(of: compose, layout, configuration)))
            guard contexts[layout.directory] == nil else { continue }
            let files = try Self.files(of: compose, layout, configuration)
            let target = "/run/\(layout.directory)"
            let text = try Self.repoText(of: compose, layout, files: files, at: target, network: network)
            try text.write(toFile: directory.appending("\(layout.directory).repo").string, atomically: true, encoding: .utf8)
            contexts[layout.directory] = files
            mounts += [RunMount(context: layout.directory, source: "/", target: target)].compactMap(\.self)
            if network == .host {
                let file = "/\(layout.directory).repo"
                mounts += [RunMount(context: Self.repoContext, source: file, target: Self.repoFolder + file)].compactMap(\.self)
            }
        }
        reservedTargets += mounts.map(\.target)
        if network == .none { try hideRepositories(behind: directory, hasVolumes: hasVolumes) }
    }

    /// Lets a directory take the place of the image's own `.repo` files.
    private mutating func hideRepositories(behind directory: FilePath, hasVolumes: Bool) throws {
        reservedTargets.append(Self.repoFolder)
        guard !hasVolumes else { return volumes[Self.repoFolder] = directory }
        try FileManager.default.createSymbolicLink(
            atPath: directory.appending(Self.repoLink).string, withDestinationPath: Self.repoFolder)
        let place = "/run/\(Self.repoContext)"
        for target in [place, "\(place)/\(Self.repoLink)"] {
            mounts += [RunMount(context: Self.repoContext, source: "/", target: target)].compactMap(\.self)
        }
    }

    /// Returns the digest of the list of a compose's packages. Nil if there is no such list.
    private static func lock(
        of compose: Compose, _ layout: ComposeLayout, _ configuration: ImageBuildConfiguration
    ) throws -> ImageDigest? {
        guard let target = configuration.targets[compose.request.targetDir] else { return nil }
        let file = target.directory.appending(layout.directory).appending(ComposeLayout.lockFile)
        return FileManager.default.contents(atPath: file.string).map { ImageDigest(of: $0) }
    }

    /// Returns the directory of a compose's repositories.
    private static func files(
        of compose: Compose, _ layout: ComposeLayout, _ configuration: ImageBuildConfiguration
    ) throws -> FilePath {
        guard compose.state == .done else {
            throw BuildFailure(
                .composeNotUsable, "Compose \(compose.id) is \(compose.state.name), and only a compose that is done has packages.")
        }
        guard compose.request.delivery == .link else {
            throw BuildFailure(
                .composeNotUsable,
                "Compose \(compose.id) has no packages, because its delivery is reference. Ask for the same compose with the delivery link."
            )
        }
        guard let target = configuration.targets[compose.request.targetDir] else {
            throw BuildFailure(
                .composeNotUsable, "This worker does not have the target \(compose.request.targetDir) of compose \(compose.id).")
        }
        let files = target.directory.appending("\(layout.directory)/\(ComposeLayout.repositories)")
        guard FileManager.default.fileExists(atPath: files.string) else {
            throw BuildFailure(.composeNotUsable, "The files of compose \(compose.id) are gone.")
        }
        return files
    }

    /// Returns the `.repo` file with the place in the container instead of the compose's address.
    private static func repoText(
        of compose: Compose, _ layout: ComposeLayout, files: FilePath, at target: String, network: BuildNetwork
    ) throws -> String {
        let text: String
        do {
            text = try String(contentsOfFile: files.appending("\(layout.directory).repo").string, encoding: .utf8)
        } catch {
            throw BuildFailure(.composeNotUsable, "The .repo file of compose \(compose.id) cannot be read.", isTransient: true)
        }
        // The server may have had another address when it wrote the file.
        let place = "/\(layout.directory)/\(ComposeLayout.repositories)/"
        return try text.split(separator: "\n", omittingEmptySubsequences: false).map { line in
            // The packages of the compose are preferred to those of the image's own repositories.
            if line.hasPrefix("["), network == .host { return "\(line)\npriority=1" }
            guard let key = ["baseurl=", "gpgkey="].first(where: line.hasPrefix) else { return String(line) }
            guard let range = line.firstRange(of: place) else {
                throw BuildFailure(
                    .composeNotUsable, "Compose \(compose.id) has its packages at another server, so a build cannot use them.")
            }
            return "\(key)file://\(target)/\(line[range.upperBound...])"
        }.joined(separator: "\n")
    }
}

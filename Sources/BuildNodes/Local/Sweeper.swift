import Foundation
public import ImageModel
import Processes
import SystemPackage

/// The *sweeper* removes what killed builds have left on a local node, and the images of steps that are
/// no longer leased.
public struct Sweeper: Sendable {
    /// The things that were removed.
    public struct Report: Hashable, Sendable {
        public var containers = 0
        public var images = 0
        public var directories = 0
        /// Control groups.
        public var groups = 0

        public init() {}
    }

    private let node: LocalNode

    public init(_ node: LocalNode) { self.node = node }

    /// - Parameters:
    ///   - leased: The steps whose images are still needed.
    ///   - bases: Whether the images of FROM and the caches of images are removed too. Later builds fetch
    ///     them again, or take longer.
    public func sweep(leased: Set<ImageTag>, bases: Bool = false) async throws -> Report {
        try await sweep(bases: bases) { leased }
    }

    /// - Parameter leased: Returns the steps whose images are still needed. It is called after the images
    ///   were listed. So a step that begins meanwhile keeps its image.
    public func sweep(bases: Bool = false, leased: () async throws -> Set<ImageTag>) async throws -> Report {
        var report = Report()
        // A directory or a group that is listed before the running builds belongs to one of them or to none.
        let directories = try node.buildah.storage.workDirectories
        let groups = try node.groups
        let builds = groups.builds
        // A running build has made its containers after its own start. So older ones belong to killed builds.
        let (oldest, active) = node.active
        let end = oldest ?? Date()
        for directory in directories where !active.contains(directory) {
            try await node.buildah.removeDirectory(directory)
            report.directories += 1
        }
        let leftovers = containers().filter { $0.created < end }.map(\.id)
        if !leftovers.isEmpty {
            for container in leftovers { try completeState(of: container) }
            _ = try await node.output(of: ["rm"] + leftovers)
            report.containers = leftovers.count
        }
        let images = try await node.images()
        let isBusy = node.active.oldest != nil
        let leased = try await leased()
        for image in images {
            let steps = image.names.filter { $0.hasPrefix(LocalNode.localNames) }
            let isLeased = leased.contains { steps.contains(LocalNode.localName(of: $0)) }
            // A build with several stages uses an image without a name.
            let isUnneeded = !steps.isEmpty || ((bases || image.names.isEmpty) && !isBusy)
            guard isUnneeded, !isLeased else { continue }
            // An image that a running build uses is removed by a later sweep.
            if try await node.remove(images: image.names.isEmpty ? [image.id] : image.names) { report.images += 1 }
        }
        report.images += try await node.removeHalfMade(bases: bases)
        for directory in bases ? try node.dropCaches() : [] {
            try await node.buildah.removeDirectory(directory)
            report.directories += 1
        }
        report.groups = builds.subtracting(active.map(LocalNode.name)).count(where: groups.remove)
        return report
    }

    /// Writes the state of a container whose buildah was killed before it wrote one. `buildah rm` refuses
    /// a container without a state. Then the sweep would end there each time.
    private func completeState(of container: String) throws {
        let directory = containersDirectory.appending(container).appending("userdata")
        let state = directory.appending("buildah.json").string
        if FileManager.default.fileExists(atPath: state) { return }
        try FileManager.default.createDirectory(atPath: directory.string, withIntermediateDirectories: true)
        // The type is that of all versions of buildah until now.
        let content = try JSONEncoder().encode(["type": "buildah 0.0.1", "container-id": container])
        try content.write(to: URL(fileURLWithPath: state))
    }

    private var containersDirectory: FilePath {
        node.buildah.storage.images.appending("\(node.buildah.storage.driver)-containers")
    }

    private struct Container: Decodable {
        let id: String
        let created: Date
    }

    /// The working containers. `buildah containers` does not print when they were made.
    private func containers() -> [Container] {
        let file = containersDirectory.appending("containers.json")
        guard let data = FileManager.default.contents(atPath: file.string) else { return [] }
        let decoder = JSONDecoder()
        decoder.dateDecodingStrategy = .custom { decoder in
            let text = try decoder.singleValueContainer().decode(String.self)
            // For example `2026-11-29T14:10:31.731567381Z`, with more digits than Foundation reads.
            let seconds = try Date(text.prefix { $0 != "." && $0 != "Z" } + "Z", strategy: .iso8601)
            let fraction = text.split(separator: ".").dropFirst().first?.prefix(while: \.isNumber) ?? "0"
            return seconds + (Double("0.\(fraction)") ?? 0)
        }
        return (try? decoder.decode([Container].self, from: data)) ?? []
    }
}

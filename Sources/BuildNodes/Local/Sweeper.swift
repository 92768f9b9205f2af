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

        public init() {}
    }

    private let node: LocalNode

    public init(_ node: LocalNode) { self.node = node }

    /// - Parameters:
    ///   - leased: The steps whose images are still needed.
    ///   - bases: Whether the images of FROM are removed too. Later builds fetch them again.
    public func sweep(leased: Set<ImageTag>, bases: Bool = false) async throws -> Report {
        var report = Report()
        // A running build has made its containers after its own start. So older ones belong to killed builds.
        let (oldest, directories) = node.active
        let end = oldest ?? Date()
        for directory in node.buildah.storage.workDirectories where !directories.contains(directory) {
            try await node.buildah.removeDirectory(directory)
            report.directories += 1
        }
        let leftovers = containers().filter { $0.created < end }.map(\.id)
        if !leftovers.isEmpty {
            _ = try await node.output(of: ["rm"] + leftovers)
            report.containers = leftovers.count
        }
        for image in try await node.images() {
            let steps = image.names.filter { $0.hasPrefix(LocalNode.localNames) }
            let isLeased = leased.contains { steps.contains(LocalNode.localName(of: $0)) }
            let isUnneeded = image.names.isEmpty || !steps.isEmpty || (bases && oldest == nil)
            guard isUnneeded, !isLeased else { continue }
            try await node.remove(images: image.names.isEmpty ? [image.id] : image.names)
            report.images += 1
        }
        return report
    }

    private struct Container: Decodable {
        let id: String
        let created: Date
    }

    /// The working containers. `buildah containers` does not print when they were made.
    private func containers() -> [Container] {
        let file = node.buildah.storage.images.appending("\(node.buildah.storage.driver)-containers/containers.json")
        guard let data = FileManager.default.contents(atPath: file.string) else { return [] }
        let decoder = JSONDecoder()
        decoder.dateDecodingStrategy = .custom { decoder in
            let text = try decoder.singleValueContainer().decode(String.self)
            // The fraction of a second is left out, which makes a container seem older by less than a second.
            let seconds = text.prefix { $0 != "." && $0 != "Z" } + "Z"
            return try Date(String(seconds), strategy: .iso8601)
        }
        return (try? decoder.decode([Container].self, from: data)) ?? []
    }
}

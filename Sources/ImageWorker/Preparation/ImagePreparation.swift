import BuildNodes
import ComposeStore
import Containerfiles
import ForeignText
import Foundation
import Glibc
import ImageModel
import NIOPosix
import Processes
import Registry
import SystemPackage

/// An *image preparation* turns the definition of an image into the specification of one step. Every
/// image after FROM has a digest there, and every RUN has the packages of the composes.
struct ImagePreparation {
    let configuration: ImageBuildConfiguration
    let store: ComposeStore
    let registry: RegistryClient
    let node: any BuildNode
    let log: StepLog

    /// - Parameters:
    ///   - name: The name of the step on the node.
    ///   - directory: A directory of this attempt, which exists. Its files must stay until the end of the
    ///     build.
    func specification(
        _ lease: StepLease, _ inputs: StepInputs, platform: Platform, named name: ImageTag, in directory: FilePath
    ) async throws -> BuildSpecification {
        let build = inputs.build
        let definition = build.request.definition
        guard definition.network == .none || configuration.allowsHostNetwork else {
            throw BuildFailure(
                .badContainerfile, "The image asks for the network of the host, which this service does not give (images.network).")
        }
        let binding = try await ComposeBinding(
            build.composes, network: definition.network, hasVolumes: node.hasVolumes, configuration: configuration, store: store,
            directory: directory.appending("repositories"))
        let arguments = BuildArguments(definition.arguments, platform: platform)
        let source = ContextSource(configuration: configuration, registry: registry, log: log)
        let bases = BaseImages(configuration: configuration, registry: registry, log: log)

        /// Fetches and checks everything with the inputs that are pinned so far.
        func read(_ pins: BuildPins, into directory: FilePath) async throws -> (ContextSource.Context, Containerfile, BuildPins) {
            let context =
                if let artifact = definition.artifact, artifact.kind == .component {
                    try await ComponentContext(source: source, store: store).fetch(
                        artifact, from: definition.source, commit: pins.commit, into: directory)
                } else {
                    try await source.fetch(definition.source, commit: pins.commit, into: directory)
                }
            let file = try Containerfile(context.containerfile, dialect: .ofService)
            let problems = rules(definition, binding).problems(in: file, arguments: arguments)
            if !problems.isEmpty { throw BuildFailure(problems) }
            try Self.refuseLinks(among: file.contextMounts, in: context.directory)
            let images = try file.imagesNamed(arguments: arguments, contexts: Set(binding.contexts.keys))
            let digests = try await bases.resolve(images, known: pins.images, parents: inputs.parents)
            return (context, file, BuildPins(commit: context.commit, images: digests))
        }

        /// Records the inputs, and how the platform is made from them. Returns the inputs that all steps use.
        func pin(_ context: ContextSource.Context, _ file: Containerfile, _ found: BuildPins) async throws -> BuildPins {
            let origin = StepOrigin(
                containerfile: ImageDigest(of: Array(context.containerfile.utf8)), node: node.name, isolation: node.isolation,
                composes: binding.composes, base: try file.finalBase(arguments: arguments)?.description, upgrades: file.mentionsUpgrade)
            guard let pins = try await store.pin(lease, found, origin) else { throw CancellationError() }
            return pins
        }

        var (context, file, found) = try await read(build.pins ?? BuildPins(), into: directory.appending("context"))
        var pins = try await pin(context, file, found)
        if pins.commit != found.commit {
            // Another step was faster, and its commit has another Containerfile.
            (context, file, found) = try await read(pins, into: directory.appending("pinned-context"))
            pins = try await pin(context, file, found)
        }
        let images = try file.imagesNamed(arguments: arguments, contexts: Set(binding.contexts.keys))
        let choosesPlatforms = file.stages.contains { $0.platform != nil }
        try await bases.refuseTriggers(of: images, pins.images, on: choosesPlatforms ? nil : platform)
        try await give(directory)
        let digests = Dictionary(
            uniqueKeysWithValues: try pins.images.map { (try ImageReference($0.key), $0.value) })
        let findings = definition.update ? inputs.findings[platform] ?? [] : []
        let caches = node.sharesCaches ? Self.cacheName(of: inputs.image, platform) : nil
        let prepared = try PreparedContainerfile(
            file, arguments: arguments, digests: digests, contexts: Set(binding.contexts.keys),
            mounts: binding.mounts + Self.caches(of: definition, on: caches), caches: caches,
            upgrade: Array(Set(findings.map(\.installed.name))).sorted())
        var specification = BuildSpecification(
            step: name, platform: platform, containerfile: prepared.text, context: context.directory, limits: configuration.limits)
        let contexts = Set(binding.contexts.keys)
        let used = build.composes.isEmpty ? file.contextsUsed(among: contexts) : contexts
        specification.namedContexts = binding.contexts.filter { used.contains($0.key) }
        specification.repositories = Set(digests.keys.map(\.repository))
        specification.volumes = binding.volumes
        specification.arguments = definition.arguments
        specification.needs = BuildNeeds(
            diskBytes: definition.diskMegabytes.map { $0 << 20 }, memoryBytes: definition.memoryMegabytes.map { $0 << 20 })
        // No image sees the caches of another one, not even by a mount of its own Containerfile.
        if !definition.caches.isEmpty { specification.cacheDirectory = "\(build.image)-\(platform.inNames)" }
        specification.network = definition.network
        // Each attempt makes the same image.
        specification.timestamp = Int(build.timeSubmitted.timeIntervalSince1970)
        specification.labels = labels(of: inputs, pins, base: try Self.base(of: file, arguments))
        return specification
    }

    private func rules(_ definition: ImageDefinition, _ binding: ComposeBinding) -> ContainerfileRules {
        ContainerfileRules(
            network: definition.network, contexts: Set(binding.contexts.keys),
            reservedTargets: binding.reservedTargets)
    }

    /// The mounts for the caches of an image.
    ///
    /// - Parameter name: The beginning of their ids on a node whose caches all images share.
    private static func caches(of definition: ImageDefinition, on name: String?) -> [RunMount] {
        definition.caches.sorted { $0.key < $1.key }.compactMap { id, target in
            RunMount(cache: (name.map { "\($0)-" } ?? "") + id, target: target)
        }
    }

    /// Returns a name that no other image has, not even one of another service that uses the same node.
    private static func cacheName(of image: Image, _ platform: Platform) -> String {
        "odcs-" + ImageDigest(of: Array("\(image.repository) \(platform)".utf8)).hex.prefix(24)
    }

    /// Throws if the path of a mount has a link, which the builder would follow on the host.
    private static func refuseLinks(among mounts: [Containerfile.ContextMount], in context: FilePath) throws {
        for mount in mounts {
            var path = context
            for component in FilePath("/\(mount.source)").lexicallyNormalized().components {
                path.append(component)
                var status = stat()
                guard lstat(path.string, &status) == 0, status.st_mode & S_IFMT == S_IFLNK else { continue }
                throw BuildFailure([
                    ContainerfileProblem(
                        line: mount.line,
                        "RUN --mount with source=\(mount.source) is not allowed: \(component.string.quoted) is a link in the context")
                ])
            }
        }
    }

    /// The image that the last stage builds on, or nil if that is a stage or `scratch`.
    static func base(of file: Containerfile, _ arguments: BuildArguments) throws(ContainerfileProblem) -> ImageReference? {
        try file.imagesNamed(arguments: arguments).last { $0.role == .base(isLast: true) }?.reference
    }

    /// The labels say what the image was made from. OCI Image Specification, "Annotations".
    private func labels(of inputs: StepInputs, _ pins: BuildPins, base: ImageReference?) -> [String: String] {
        let build = inputs.build
        var labels = ["vnd.odcs.build": "\(build.id)", "org.opencontainers.image.created": build.timeSubmitted.formatted(.iso8601)]
        if case .git(let url, _, _) = build.request.definition.source { labels["org.opencontainers.image.source"] = url }
        labels["org.opencontainers.image.revision"] = pins.commit
        labels["org.opencontainers.image.base.name"] = base?.description
        labels["org.opencontainers.image.base.digest"] = base.flatMap { pins.images[$0.description]?.description }
        if !build.composes.isEmpty { labels["vnd.odcs.compose"] = build.composes.map(String.init).joined(separator: ",") }
        if !inputs.advisories.isEmpty { labels["vnd.odcs.advisory"] = inputs.advisories.joined(separator: ",") }
        return labels
    }

    /// Gives the files of a context to the build account, which could not read all of them otherwise.
    private func give(_ directory: FilePath) async throws {
        guard geteuid() == 0, let account = configuration.account?.account else { return }
        try await NIOThreadPool.singleton.runIfActive {
            func own(_ path: String) throws {
                guard lchown(path, account.user, account.group) == 0 else { throw BuildFailure(.storage, "\(Errno(rawValue: errno))") }
            }
            try own(directory.string)
            guard let files = FileManager.default.enumerator(atPath: directory.string) else { return }
            for case let name as String in files { try own(directory.appending(name).string) }
        }
    }
}

public import BuildNodes
public import ComposeStore
public import ComposeWorker
public import ImageModel
public import Registry

/// A *build step runner* does the steps of builds with a node and a registry.
public struct BuildStepRunner: StepRunner {
    let platformStep: PlatformStep
    let listStep: ManifestListStep

    /// - Parameters:
    ///   - node: The node of this worker. No other worker uses it. Nil if the worker only uses those of
    ///     farms.
    ///   - standing: Whether the node may build. A node that lies is disabled there.
    ///   - farms: The connections to the nodes of farms. Nil if this worker does not use them.
    ///   - reader: Reads the packages of images in registries.
    public init(
        configuration: ImageBuildConfiguration, store: ComposeStore, node: (any BuildNode)?, standing: NodeStanding,
        farms: EngineConnections? = nil, registry: RegistryClient, reader: any ContentsReading
    ) {
        let nodes = StepNodes(own: node, standing: standing, farms: farms, store: store)
        platformStep = PlatformStep(configuration: configuration, store: store, nodes: nodes, registry: registry, reader: reader)
        listStep = ManifestListStep(
            store: store, registry: registry,
            attestations: BuildAttestations(
                store: store, registry: registry, builder: configuration.builder, key: configuration.provenanceKey))
    }

    public func run(_ lease: StepLease, _ inputs: StepInputs, until deadline: LeaseDeadline) async throws -> StepResult {
        try await BuildFailure.translating(attempt: lease.step.attempts) {
            if let platform = lease.step.platform {
                return try await platformStep.run(lease, inputs, platform, until: deadline)
            }
            return try await listStep.run(lease.step, inputs)
        }
    }

    public func clean(after step: Step, of build: Build) async throws {
        if step.platform != nil { try await platformStep.clean(after: step, of: build) }
    }
}

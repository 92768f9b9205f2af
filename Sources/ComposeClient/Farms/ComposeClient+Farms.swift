public import ImageModel

// Nodes build images. A farm is a named set of nodes.
extension ComposeClient {
    public func nodes() async throws -> [NodeDocument] {
        let list: NodeList = try await transport.answer(.nodeList)
        return list.items
    }

    public func node(_ name: String) async throws -> NodeDocument { try await transport.answer(.node(name)) }

    /// Adds a node. A worker tries its platforms soon.
    public func addNode(_ submission: NodeSubmission) async throws -> NodeDocument { try await transport.answer(.addNode(submission)) }

    public func changeNode(_ name: String, _ submission: NodeSubmission) async throws -> NodeDocument {
        try await transport.answer(.changeNode(name, submission))
    }

    public func removeNode(_ name: String) async throws -> Acknowledgement { try await transport.answer(.removeNode(name)) }

    /// Asks a worker to try the platforms of a node.
    public func probeNode(_ name: String) async throws -> NodeDocument { try await transport.answer(.probeNode(name)) }

    /// Asks a worker to remove images from a node.
    public func pruneNode(_ name: String, _ request: PruneRequest) async throws -> NodeDocument {
        try await transport.answer(.pruneNode(name, request))
    }

    public func farms() async throws -> [FarmDocument] {
        let list: FarmList = try await transport.answer(.farmList)
        return list.items
    }

    public func farm(_ name: String) async throws -> FarmDocument { try await transport.answer(.farm(name)) }

    public func createFarm(_ submission: FarmSubmission) async throws -> FarmDocument {
        try await transport.answer(.createFarm(submission))
    }

    public func changeFarm(_ name: String, _ submission: FarmSubmission) async throws -> FarmDocument {
        try await transport.answer(.changeFarm(name, submission))
    }

    public func removeFarm(_ name: String) async throws -> Acknowledgement { try await transport.answer(.removeFarm(name)) }

    /// Returns the nodes that would build platforms now.
    ///
    /// - Parameter platforms: Those that the nodes run themselves, if it is `nil`.
    public func schedule(_ platforms: [String]? = nil, on placement: Placement? = nil) async throws -> ScheduleDocument {
        try await transport.answer(.schedule(platforms, placement))
    }
}

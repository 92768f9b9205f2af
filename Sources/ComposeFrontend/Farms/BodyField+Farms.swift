import ComposeStore
import ForeignText
import ImageModel

/// The members of requests about nodes and farms.
extension BodyField {
    static let nodeMembers = ["connection", "identity", "slots", "weight", "labels", "deliver", "enabled"]

    func connection() throws(RequestRejection) -> NodeConnection? {
        guard let text = try string("connection") else { return nil }
        return try RequestRejection.translating { () throws(ImageProblem) in try NodeConnection(text) }
    }

    /// Sets the members of a node that are there, except for its name and its connection.
    func apply(to node: inout FarmNode) throws(RequestRejection) {
        if let identity = try string("identity") {
            guard identity.isEmpty || identity.wholeMatch(of: /[A-Za-z0-9][A-Za-z0-9_-]{0,63}/) != nil else {
                throw .badRequest("identity must be the name of a key that workers have, such as builder, not \(identity.quoted).")
            }
            node.identity = identity.isEmpty ? nil : identity
        }
        node.slots = try number("slots", in: 1...1000) ?? node.slots
        node.weight = try number("weight", in: 1...1000) ?? node.weight
        node.labels = try texts("labels") ?? node.labels
        if let text = try string("deliver") {
            guard let delivery = FarmNode.Delivery(rawValue: text) else {
                throw .badRequest("deliver is push or pull, not \(text.quoted).")
            }
            node.delivery = delivery
        }
        node.isEnabled = try boolean("enabled") ?? node.isEnabled
    }

    private func number(_ key: String, in range: ClosedRange<Int>) throws(RequestRejection) -> Int? {
        guard let number = try integer(key) else { return nil }
        guard range.contains(number) else {
            throw .badRequest("\(key) must be between \(range.lowerBound) and \(range.upperBound), not \(number).")
        }
        return number
    }

    /// Returns the nodes that `farm` or `nodes` name.
    func placement() throws(RequestRejection) -> Placement? {
        let (farm, nodes) = (try string("farm"), try strings("nodes"))
        switch (farm, nodes) {
        case (nil, nil): return nil
        case (let farm?, nil): return .farm(farm)
        case (nil, let nodes?):
            guard (1...100).contains(nodes.count) else { throw .badRequest("nodes must have 1 to 100 names of nodes.") }
            return .nodes(nodes)
        case (_?, _?): throw .badRequest("farm and nodes exclude each other.")
        }
    }
}

extension ComposeStore {
    /// Throws ``RequestRejection`` with status 400 if a placement names a farm or node that does not exist.
    func checkAsked(_ placement: Placement) async throws {
        do {
            try await check(placement)
        } catch let error as NoSuchFarm {
            throw RequestRejection.badRequest(error.description)
        }
    }
}

extension BuildNeeds {
    var isEmpty: Bool { diskBytes == nil && memoryBytes == nil }

    /// Throws ``NodeFailure`` if a node has less than what is needed.
    ///
    /// - Parameters:
    ///   - freeBytes: The free space of the node's disk. Nil: it is not known, and so not compared.
    ///   - memoryBytes: The memory of the node. Nil: it is not known.
    ///   - limits: The limits of the build, which can give it less memory.
    ///   - node: The name of the node.
    func check(freeBytes: Int?, memoryBytes: Int?, _ limits: BuildLimits, of node: String) throws(NodeFailure) {
        if let needed = diskBytes, let free = freeBytes, free < needed {
            throw NodeFailure(
                .diskFull, "The image needs \(needed >> 20) MB of free disk space, and the node \(node) has \(free >> 20) MB.")
        }
        let amounts = [(memoryBytes, "it has"), (limits.memoryBytes, "a build gets")].compactMap { bytes, owner in bytes.map { ($0, owner) }
        }
        if let needed = self.memoryBytes, let (most, owner) = amounts.min(by: { $0.0 < $1.0 }), most < needed {
            throw NodeFailure(
                .memoryMissing,
                "The image needs \(needed >> 20) MB of memory, and the node \(node) is smaller: \(owner) \(most >> 20) MB.")
        }
    }
}

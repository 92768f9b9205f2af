public import ImageModel

extension Containerfile {
    /// Returns the image that the last stage builds on, directly or through earlier stages, or `nil` if it
    /// begins with `scratch`.
    public func finalBase(arguments: BuildArguments = BuildArguments()) throws(ContainerfileProblem) -> ImageReference? {
        let bases = try bases(arguments: arguments)
        var stage = bases.count - 1
        while case .stage(let earlier) = bases[stage] { stage = earlier }
        if case .image(let reference) = bases[stage] { return reference }
        return nil
    }

    /// Whether a RUN has a word with which package managers upgrade what is installed, for example `dnf
    /// upgrade`.
    public var mentionsUpgrade: Bool {
        let words: Set<Substring> = ["upgrade", "update", "upgrade-minimal", "update-minimal", "distro-sync", "dup"]
        return stages.flatMap(\.instructions).contains { instruction in
            guard instruction.keyword == .run else { return false }
            let texts = [instruction.arguments] + (instruction.elements ?? []) + instruction.hereDocuments.flatMap(\.lines)
            return texts.contains { text in text.split { !$0.isLetter && $0 != "-" }.contains(where: words.contains) }
        }
    }
}

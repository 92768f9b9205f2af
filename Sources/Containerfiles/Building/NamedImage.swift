public import ImageModel

/// A *named image* is an image outside of a Containerfile that the Containerfile needs.
public struct NamedImage: Hashable, Sendable {
    public let reference: ImageReference
    public let line: Int
    public let role: Role

    public enum Role: Hashable, Sendable {
        /// The image after FROM. `isLast` says whether the stage is the last one, which becomes the image.
        case base(isLast: Bool)
        /// The image whose files COPY or a mount of RUN takes.
        case files
    }
}

extension Containerfile {
    /// Returns the images that a build of this file reads, in the order of their lines.
    ///
    /// - Parameters:
    ///   - arguments: The values for the variables in FROM.
    ///   - contexts: The names of the build contexts. COPY and RUN can name them like images.
    public func imagesNamed(
        arguments: BuildArguments = BuildArguments(), contexts: Set<String> = []
    ) throws(ContainerfileProblem) -> [NamedImage] {
        var found: [NamedImage] = []
        for (index, base) in try bases(arguments: arguments).enumerated() {
            let stage = stages[index]
            if case .image(let reference) = base {
                let isLast = index == stages.count - 1
                found.append(NamedImage(reference: reference, line: stage.from.line, role: .base(isLast: isLast)))
            }
            for instruction in stage.instructions {
                for name in instruction.filesFrom {
                    guard let reference = try image(name, in: instruction, stage: index, contexts: contexts) else { continue }
                    found.append(NamedImage(reference: reference, line: instruction.line, role: .files))
                }
            }
        }
        return found
    }

    /// The meaning of the word after FROM.
    enum Base: Hashable {
        case scratch
        /// An earlier stage.
        case stage(Int)
        case image(ImageReference)
    }

    /// Returns the base of each stage.
    func bases(arguments: BuildArguments) throws(ContainerfileProblem) -> [Base] {
        let variables = try globalVariables(arguments: arguments.values, automatic: arguments.automatic)
        var bases: [Base] = []
        for (index, stage) in stages.enumerated() {
            let word = try expanded(stage.base, of: stage.from, variables)
            guard !word.text.isEmpty else {
                let names = word.unknown.isEmpty ? "" : ": \(word.unknown.joined(separator: ", ")) has no value"
                throw ContainerfileProblem(line: stage.from.line, "FROM \(stage.base) names no image\(names)")
            }
            if word.text == "scratch" {
                bases.append(.scratch)
            } else if let earlier = stages[..<index].lastIndex(where: { $0.name == word.text.lowercased() }) {
                bases.append(.stage(earlier))
            } else {
                bases.append(.image(try reference(word.text, line: stage.from.line)))
            }
        }
        return bases
    }

    /// Returns the image that a name after `from=` means, or `nil` if it is a stage or a build context.
    func image(
        _ name: String, in instruction: Instruction, stage: Int, contexts: Set<String>
    ) throws(ContainerfileProblem) -> ImageReference? {
        if contexts.contains(name) || stages[..<stage].contains(where: { $0.name == name.lowercased() }) { return nil }
        if let number = Int(name) {
            guard (0..<stage).contains(number) else {
                throw ContainerfileProblem(line: instruction.line, "there is no stage \(number) before this line")
            }
            return nil
        }
        return try reference(name, line: instruction.line)
    }

    private func reference(_ text: String, line: Int) throws(ContainerfileProblem) -> ImageReference {
        do {
            return try ImageReference(text).withDefaultTag
        } catch {
            throw ContainerfileProblem(line: line, error.description)
        }
    }
}

extension Instruction {
    /// The names after `from=`, in flags of COPY and in mounts of RUN.
    var filesFrom: [String] {
        switch keyword {
        case .copy: values(of: "from")
        case .run: values(of: "mount").flatMap { MountOptions($0).values(of: ["from"]) }
        default: []
        }
    }
}

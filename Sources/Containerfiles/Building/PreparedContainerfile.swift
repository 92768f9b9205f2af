import ForeignText
public import ImageModel

/// A *prepared Containerfile* is the text that a rebuild gives to the builder. It is the Containerfile
/// of the image with a few changes.
///
/// - Each FROM that is an image names it by digest.
/// - Each RUN gets the mounts of the rebuild.
/// - If images share the caches of a node, the caches of RUN get names that only this image has.
/// - If packages are to be upgraded, one RUN follows the FROM of the last stage.
///
/// All other lines stay as they are. The numbers of lines stay too, up to the RUN that is added.
public struct PreparedContainerfile: Hashable, Sendable {
    public let text: String

    /// - Parameters:
    ///   - digests: The digest of each image that the file names, by its reference with the default tag.
    ///   - contexts: The names of the build contexts, which are no images.
    ///   - caches: The beginning of the ids of all caches. Nil: the ids stay as they are.
    ///   - upgrade: The names of the packages to upgrade. None: nothing is added.
    /// - Throws: ``ContainerfileProblem`` for an image without a digest, or a file that cannot be prepared.
    public init(
        _ file: Containerfile, arguments: BuildArguments = BuildArguments(), digests: [ImageReference: ImageDigest],
        contexts: Set<String> = [], mounts: [RunMount] = [], caches: String? = nil, upgrade: [String] = []
    ) throws(ContainerfileProblem) {
        var lines = file.lines
        var added: (index: Int, text: String)?
        for (index, base) in try file.bases(arguments: arguments).enumerated() {
            let stage = file.stages[index]
            if case .image(let reference) = base {
                Self.replace(stage.from, in: &lines, by: try Self.pinned(stage, reference, digests))
            }
            for instruction in stage.instructions {
                var names: [String: String] = [:]
                for name in instruction.filesFrom {
                    guard let reference = try file.image(name, in: instruction, stage: index, contexts: contexts) else { continue }
                    names[name] = try Self.pinned(reference, digests, line: instruction.line)
                }
                if !names.isEmpty { try Self.pin(names, in: instruction, &lines) }
                guard instruction.keyword == .run else { continue }
                if let caches { try Self.change(in: instruction, &lines) { Self.isolated($0, by: caches) } }
                instruction.add(mounts, to: &lines)
            }
            if index == file.stages.count - 1, !upgrade.isEmpty {
                added = (stage.from.lines.upperBound, try Self.upgrade(upgrade, mounts, line: stage.from.line))
            }
        }
        if let added { lines.insert(added.text, at: added.index) }
        text = lines.joined(separator: "\n")
    }

    private static func pinned(
        _ reference: ImageReference, _ digests: [ImageReference: ImageDigest], line: Int
    ) throws(ContainerfileProblem) -> String {
        guard let digest = digests[reference] ?? reference.digest else {
            throw ContainerfileProblem(line: line, "the digest of \(reference) is not known")
        }
        return "\(reference.repository)@\(digest)"
    }

    private static func pinned(
        _ stage: Stage, _ reference: ImageReference, _ digests: [ImageReference: ImageDigest]
    ) throws(ContainerfileProblem) -> String {
        let image = try pinned(reference, digests, line: stage.from.line)
        let words = ["FROM"] + stage.from.flags.map(\.text) + [image] + (stage.name.map { ["AS", $0] } ?? [])
        return words.joined(separator: " ")
    }

    /// Replaces an instruction by one line. Empty lines keep the numbers of the lines after it.
    private static func replace(_ instruction: Instruction, in lines: inout [String], by text: String) {
        let range = (instruction.lines.lowerBound - 1)...(instruction.lines.upperBound - 1)
        lines.replaceSubrange(range, with: [text] + Array(repeating: "", count: range.count - 1))
    }

    /// Replaces the names of images in the flags of COPY or RUN.
    private static func pin(_ names: [String: String], in instruction: Instruction, _ lines: inout [String]) throws(ContainerfileProblem) {
        try change(in: instruction, &lines) { flag in
            if flag.name == "from", let name = flag.value.flatMap({ names[$0] }) { return "--from=\(name)" }
            guard flag.name == "mount", let value = flag.value,
                MountOptions(value).values(of: ["from"]).contains(where: { names[$0] != nil })
            else { return nil }
            let options = value.parts(at: ",").map { part in
                guard let (key, name) = part.halves(at: "="), key.trimmed.lowercased() == "from", let pinned = names[name] else {
                    return part
                }
                return "\(key)=\(pinned)"
            }
            return "--mount=" + options.joined(separator: ",")
        }
    }

    /// Returns the flag of a cache with an id that begins with `prefix`, or nil if it is no cache. Without
    /// an id, the target is the id.
    private static func isolated(_ flag: Instruction.Flag, by prefix: String) -> String? {
        guard flag.name == "mount", let value = flag.value else { return nil }
        let mount = MountOptions(value)
        guard mount.types == ["cache"], let id = mount.values(of: ["id"]).last ?? mount.targets.last else { return nil }
        let options = value.parts(at: ",").filter { ($0.halves(at: "=")?.before ?? $0).trimmed.lowercased() != "id" }
        return "--mount=" + (options + ["id=\(prefix)-\(id)"]).joined(separator: ",")
    }

    /// Replaces the flags of an instruction for which `changed` returns another text.
    private static func change(
        in instruction: Instruction, _ lines: inout [String], _ changed: (Instruction.Flag) -> String?
    ) throws(ContainerfileProblem) {
        for flag in instruction.flags {
            guard let text = changed(flag) else { continue }
            guard let index = instruction.lines.map({ $0 - 1 }).first(where: { lines[$0].words.contains(flag.text) }),
                let range = lines[index].firstRange(of: flag.text)
            else {
                throw ContainerfileProblem(line: instruction.line, "the flag \(flag.text.quoted) must be on one line")
            }
            lines[index].replaceSubrange(range, with: text)
        }
    }

    private static func upgrade(_ packages: [String], _ mounts: [RunMount], line: Int) throws(ContainerfileProblem) -> String {
        // The names come from images of strangers, and the shell reads them.
        if let odd = packages.first(where: { !isPackageName($0) }) {
            throw ContainerfileProblem(line: line, "\(odd.quoted) cannot be the name of a package")
        }
        return (["RUN"] + mounts.map(\.description) + ["dnf -y upgrade"] + packages).joined(separator: " ")
    }

    private static func isPackageName(_ text: String) -> Bool {
        guard let first = text.unicodeScalars.first, first.isASCIILetterOrDigit else { return false }
        return text.unicodeScalars.allSatisfy { $0.isASCIILetterOrDigit || "._+-".unicodeScalars.contains($0) }
    }
}

extension Unicode.Scalar {
    fileprivate var isASCIILetterOrDigit: Bool {
        ("a"..."z").contains(self) || ("A"..."Z").contains(self) || ("0"..."9").contains(self)
    }
}

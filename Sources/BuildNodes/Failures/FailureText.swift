import ForeignText
import ImageModel
import Processes

/// Finds the cause of a failure in the output of a builder and of the programs of a build. The texts
/// are those of buildah 1.28, containers/image 5.23, docker 20.10, Linux, dnf 4 and dnf 5.
struct FailureText {
    let ending: ChildProcess.Ending
    let transcript: BuildTranscript
    /// The architecture whose programs the node itself runs. Nil: it is not known.
    var architecture: String? = Platform.host.architecture

    /// Returns the failure of a build.
    func failure(of specification: BuildSpecification) -> NodeFailure {
        let error = transcript.error ?? ""
        let cause = Self.cause(in: error, of: transcript.step)
        if let failure = diskFull(cause) ?? diskFull(transcript.lastLines(10).joined(separator: "\n")) ?? outside(cause) { return failure }
        let isForeign = specification.platform.architecture != architecture
        // runc and crun write it differently.
        if isForeign, ([cause] + transcript.lastLines(5)).contains(where: { $0.lowercased().contains("exec format error") }) {
            return make(
                .noEmulator,
                "The node cannot run programs of \(specification.platform): no emulator is registered. Install qemu-user-static, or use another node."
            )
        }
        guard let step = transcript.step, Self.beginnings.contains(where: error.hasPrefix) else {
            // A program that was killed can leave an image without all of its records. The cleaning of another
            // program can also remove an image between its pull and its use.
            if Self.lostImages.contains(where: error.contains) || Self.isLostSource(error) {
                return make(.imageLost, "The storage of the node has lost an image of the build: \(error.printable(most: 500)).")
            }
            return make(
                .containerfile, "The Containerfile cannot be built: \(error.isEmpty ? ending.inWords : error.printable(most: 500)).")
        }
        if specification.network == .none, let missing = Self.missingPackages(transcript.ownLastLines) {
            return make(
                .packagesNotFound,
                "\(step.capitalized) found no package: \(missing). The build has no network. Set content: for this image, or network: host."
            )
        }
        if error.contains("Unknown instruction") {
            return make(.containerfile, "\(step.shortInstruction.quoted) in step \(step.number) is no instruction of a Containerfile.")
        }
        guard let status = Self.status(in: error) else {
            let detail = error.ranges(of: "\": ").last.map { String(error[$0.upperBound...]) } ?? error
            return make(.instruction, "\(step.capitalized) failed: \(detail.printable(most: 300)).")
        }
        if let reason = Self.startFailure(transcript.ownLastLines) {
            return make(.instruction, "\(step.capitalized) could not be started: \(reason.printable(most: 300)).", status: status)
        }
        let last = transcript.ownLastLines.last { ContainerfileStep(line: $0) == nil }
        return make(
            .instruction, "\(step.capitalized) ended with the status \(status)\(last.map { ": \($0.printable(most: 300))" } ?? ".")",
            status: status)
    }

    /// The failure if the disk is full, or if a registry is the cause.
    var outsideFailure: NodeFailure? {
        let error = transcript.error ?? ""
        return diskFull(error) ?? outside(error)
    }

    /// Returns the failure of a push.
    func failure(ofPushTo target: String) -> NodeFailure {
        let error = transcript.error ?? ""
        if let failure = diskFull(error) ?? outside(error) { return failure }
        if error.contains("image not known") {
            return make(.imageLost, "The image of the step is no longer on the node.")
        }
        return make(.node, "The image cannot be pushed to \(target): \(error.isEmpty ? ending.inWords : error.printable(most: 500)).")
    }

    /// The beginnings of errors about an instruction: of buildah, and of docker.
    private static let beginnings = ["building at STEP", dockerCommand, "COPY failed: ", "ADD failed: "]
    private static let dockerCommand = "The command '"

    /// Returns the part of an error that a builder says about an instruction. The instruction itself can
    /// have any words. Examples: `building at STEP "RUN make": while running runtime: exit status 2` of
    /// buildah, and `The command '/bin/sh -c make' returned a non-zero code: 2` of docker.
    private static func cause(in error: String, of step: ContainerfileStep?) -> String {
        if error.hasPrefix(dockerCommand), let end = error.ranges(of: "' ").last { return String(error[end.upperBound...]) }
        guard error.hasPrefix("building at STEP") else { return error }
        if let step, let start = error.firstRange(of: " \"\(step.instruction)\": ") { return String(error[start.upperBound...]) }
        return error.ranges(of: "\": ").last.map { String(error[$0.upperBound...]) } ?? error
    }

    private func diskFull(_ text: String) -> NodeFailure? {
        guard text.contains("no space left on device") || text.contains("No space left on device") else { return nil }
        return make(.diskFull, "The disk of the node is full. Remove images from it, or give it more space.")
    }

    /// Returns the failure if the cause is a registry.
    private func outside(_ text: String) -> NodeFailure? {
        if text.contains("manifest unknown") || text.contains("name unknown") || text.contains("repository name not known") {
            let image = Self.word(after: "initializing source docker://", in: text)
            return make(.baseGone, "The image \(image ?? "of FROM") is not in its registry.")
        }
        let registry = Self.word(after: "pinging container registry ", in: text) ?? Self.word(after: "docker://", in: text)
        if ["unauthorized", "authentication required", "denied"].contains(where: text.contains) {
            return make(.registryRefuses, "The registry \(registry ?? "") refuses access. Check the login for it.")
        }
        if text.contains("server gave HTTP response to HTTPS client") {
            return make(
                .registryRefuses,
                "The registry \(registry ?? "") does not speak TLS. If it may be used without, add it to images.insecure_registries. "
                    + "A node of a farm needs that in the settings of its own engine, too.")
        }
        if let cause = Self.networkCauses.first(where: text.contains) {
            return make(.registryDown, "The registry \(registry ?? "") does not answer: \(cause.trimmingPrefix("dial tcp: ")).")
        }
        return nil
    }

    private func make(_ kind: NodeFailure.Kind, _ sentence: String, status: CInt? = nil) -> NodeFailure {
        NodeFailure(kind, sentence, step: transcript.step, status: status, lastLines: transcript.lastLines())
    }

    /// Whether an error says that the image of a COPY is gone. A service names such an image by its digest,
    /// after it has seen the image in its registry. So it was there, and was removed after its pull.
    private static func isLostSource(_ error: String) -> Bool {
        error.contains("@sha256:") && error.hasSuffix("no stage or image found with that name")
    }

    private static let lostImages = ["image not known", "identifier is not a layer, image, or container", "layer not known"]

    private static let networkCauses = [
        "connection refused", "connection reset by peer", "no such host", "i/o timeout", "TLS handshake timeout", "network is unreachable",
        "no route to host", "unexpected EOF", "too many requests", "500 Internal Server Error", "502 Bad Gateway",
        "503 Service Unavailable", "504 Gateway Timeout",
    ]

    /// Returns the word that follows a text, without the colon at its end.
    private static func word(after prefix: String, in text: String) -> String? {
        guard let start = text.firstRange(of: prefix) else { return nil }
        let word = text[start.upperBound...].prefix { !$0.isWhitespace && $0 != "\"" && $0 != "," }
        return word.isEmpty ? nil : String(word.hasSuffix(":") ? word.dropLast() : word)
    }

    /// Returns the number that ends `… exit status N`, or docker's `… returned a non-zero code: N`.
    private static func status(in error: String) -> CInt? {
        guard error.contains("exit status") || error.hasPrefix(dockerCommand) else { return nil }
        return error.split(separator: " ").last.flatMap { CInt($0) }
    }

    /// Returns why the program of an instruction did not start, in the words of runc or crun. buildah
    /// prints them between a line with the command and one with the status. Example: `exec: "/tool": stat
    /// /tool: no such file or directory`.
    private static func startFailure(_ lines: [String]) -> String? {
        guard let end = lines.lastIndex(where: { !$0.isEmpty }), lines[end].hasPrefix(": exit status "),
            let start = lines[..<end].lastIndex(where: { $0.hasPrefix("error running container: ") })
        else { return nil }
        let runc = "unable to start container process: "
        for line in lines[start..<end].reversed() {
            if let range = line.firstRange(of: runc) {
                let reason = line[range.upperBound...].replacing("\\\"", with: "\"")
                return reason.hasSuffix("\"") ? String(reason.dropLast()) : String(reason)
            }
        }
        return lines[start].ranges(of: "]: ").last.map { String(lines[start][$0.upperBound...]) }
    }

    /// Returns the line in which dnf reports that it has found nothing.
    private static func missingPackages(_ lines: [String]) -> String? {
        let causes = [
            "Unable to find a match", "No match for argument", "nothing provides", "There are no enabled repositories",
            "Cannot download repomd.xml", "Failed to download metadata", "Curl error (6)", "Curl error (7)", "Could not resolve host",
        ]
        // dnf lists some causes with a hyphen before each.
        return lines.last { line in causes.contains(where: line.contains) }.map { $0.drop { " -".contains($0) }.printable(most: 200) }
    }
}

extension ContainerfileStep {
    /// For example `Step 2/7, RUN make,` to begin a sentence.
    fileprivate var capitalized: String { "S\(description.dropFirst())," }
}

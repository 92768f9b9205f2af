public import ImageModel

/// *Build arguments* are the values that a build gives to the ARG instructions of a Containerfile.
public struct BuildArguments: Hashable, Sendable {
    /// The values of `--build-arg`.
    public var values: [String: String]
    /// The values that are known without `--build-arg`, for example `TARGETARCH`. ARG before FROM need not
    /// declare them.
    public var automatic: [String: String]

    public init(_ values: [String: String] = [:], platform: Platform? = nil) {
        self.values = values
        automatic = [:]
        guard let platform else { return }
        automatic = [
            "TARGETPLATFORM": platform.description, "TARGETOS": platform.os, "TARGETARCH": platform.architecture,
            "TARGETVARIANT": platform.variant ?? "",
        ]
    }
}

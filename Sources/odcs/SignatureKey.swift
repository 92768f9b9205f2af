import ArgumentParser

/// A key by which packages may be signed; `none`, or nothing, stands for packages without a signature.
struct SignatureKey: ExpressibleByArgument, Equatable {
    /// As the contract writes it, empty for none.
    let id: String

    init(argument: String) {
        id = argument == "none" ? "" : argument
    }
}

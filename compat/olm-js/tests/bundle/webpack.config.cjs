const path = require("node:path");

module.exports = {
  mode: "production",
  performance: { hints: false },
  entry: { imported: "./main.mjs", required: "./require.js" },
  output: { path: path.resolve("webpack"), publicPath: "", filename: "[name].js" },
};

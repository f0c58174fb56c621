/** The pages and who may open them. */
import { createRouter, createWebHistory } from "vue-router";

import { recall, who } from "./desk/session";

export const router = createRouter({
  history: createWebHistory(),
  routes: [
    { path: "/login", name: "login", component: () => import("./pages/LoginPage.vue"), meta: { open: true } },
    {
      path: "/",
      component: () => import("./pages/FramePage.vue"),
      children: [
        { path: "", name: "desk", component: () => import("./pages/DeskPage.vue") },
        { path: "seat", name: "seat", component: () => import("./pages/SeatPage.vue") },
        { path: "customers", name: "customers", component: () => import("./pages/CustomersPage.vue") },
        { path: "customers/:id", name: "customer", component: () => import("./pages/CustomerPage.vue"), props: true },
        {
          path: "webhooks",
          name: "webhooks",
          component: () => import("./pages/WebhooksPage.vue"),
          meta: { role: "admin" },
        },
        { path: ":rest(.*)*", name: "missing", component: () => import("./pages/MissingPage.vue") },
      ],
    },
  ],
});

router.beforeEach(async (to) => {
  await recall().catch(() => undefined);
  if (!who.user) return to.meta["open"] ? true : { name: "login", query: { next: to.fullPath } };
  if (to.name === "login") return { name: "desk" };
  if (to.meta["role"] && to.meta["role"] !== who.user.role) return { name: "desk" };
  return true;
});
